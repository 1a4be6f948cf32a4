"""What a restart cost, second by second, from the samples around it; pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from loadtests.fleet import UNANSWERED_AFTER_NS
from loadtests.latency import percentile
from loadtests.rolling_terminals import Sample

SECOND_NS: Final = 1_000_000_000
SLOW: Final = 3
"""A second is slow when its p99 is above so many times the p99 from before."""

NOTHING_US: Final = UNANSWERED_AFTER_NS // 1000
"""How long one that heard nothing has waited: it stands in the percentiles with that."""


def cost_of(
    samples: Iterable[Sample], began_ns: int, *, before_s: int, after_s: int
) -> dict[str, Any]:
    """Return what a restart that began at this moment cost; milliseconds.

    Purchases count in the second in which they were due. ``slow`` are the seconds after the
    beginning, ``slow_before`` those before it: what is slow without any restart.
    """
    seconds: dict[int, list[Sample]] = {at: [] for at in range(-before_s, after_s)}
    for sample in samples:
        found = seconds.get((sample.due_ns - began_ns) // SECOND_NS)
        if found is not None:
            found.append(sample)
    before = [one for at, found in seconds.items() if at < 0 for one in found]
    around = [one for found in seconds.values() for one in found]
    told = {at: _tell(at, found) for at, found in seconds.items()}
    limit_ms = SLOW * _ms(before, 0.99)
    slow = [at for at, one in told.items() if one["p99_ms"] > limit_ms]
    refused = Counter(one.code for one in around if not one.is_deserved)
    return {
        "purchases": len(around),
        "refused_by_us": dict(sorted(refused.items())),
        "silent": sum(one.took_us is None for one in around),
        "p50_before_ms": _ms(before, 0.50),
        "p99_before_ms": _ms(before, 0.99),
        "slow": [at for at in slow if at >= 0],
        "slow_before": [at for at in slow if at < 0],
        "worst_p99_ms": max((one["p99_ms"] for at, one in told.items() if at >= 0), default=0.0),
        "seconds": list(told.values()),
    }


def _tell(at: int, found: Sequence[Sample]) -> dict[str, Any]:
    return {
        "at": at,
        "purchases": len(found),
        "p50_ms": _ms(found, 0.50),
        "p99_ms": _ms(found, 0.99),
        "max_ms": _ms(found, 1.0),
        "silent": sum(one.took_us is None for one in found),
        "refused_by_us": sum(not one.is_deserved for one in found),
    }


def _ms(found: Sequence[Sample], share: float) -> float:
    if not found:
        return 0.0
    took_us = sorted(NOTHING_US if one.took_us is None else one.took_us for one in found)
    return percentile(took_us, share) / 1000
