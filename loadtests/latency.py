"""Percentiles of latencies in microseconds, and the histogram that result files keep."""

from array import array
from collections import Counter
from collections.abc import Sequence
from math import ceil, log
from typing import Final

PERCENTILES: Final = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999))

_STEP: Final = 1.05


def percentile(ordered: Sequence[int], share: float) -> int:
    """Return the smallest sample that at least this share of all samples do not exceed."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def summary_ms(samples: "array[int]") -> dict[str, float]:
    """Return p50, p95, p99, p99.9 and max in milliseconds; empty without samples."""
    if not samples:
        return {}
    ordered = sorted(samples)
    found = {name: percentile(ordered, share) / 1000 for name, share in PERCENTILES}
    return {**found, "max": ordered[-1] / 1000}


def histogram(samples: "array[int]") -> str:
    """Return ``bound:count`` of buckets that grow by 5 % each; upper bounds in microseconds."""
    found = Counter(ceil(log(max(sample, 1), _STEP)) for sample in samples)
    return " ".join(f"{round(_STEP**bucket)}:{found[bucket]}" for bucket in sorted(found))
