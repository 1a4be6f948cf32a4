"""A result of ``make hostile`` as people read it: what good terminals felt of bad clients."""

from collections.abc import Iterator
from statistics import median
from typing import Any, Final

from loadtests.report import print_table, wide_console

SHARE_MAX: Final = 0.25
MORE_MS_MAX: Final = 5.0
GROWN_MB_MAX: Final = 20.0
HOSTILE_HEADINGS: Final = (
    "bad clients", "pairs", "p50 ms quiet", "attacked", "p99 ms quiet", "attacked",
    "more (median of pairs)", "unanswered", "memory MB", "at worst", "after", "met",
)  # fmt: skip


def attack_rows(result: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Give what stands under HOSTILE_HEADINGS, a row a kind; medians over its pairs."""
    for attack in result["attacks"]:
        pairs = attack["pairs"]
        before, after = (kb / 1024 for kb in attack["resident_kb"])
        yield (
            attack["kind"],
            str(len(pairs)),
            *(f"{_middle(pairs, side, name):.1f}" for name, side in _PLACES),
            f"{median(map(_more_ms, pairs)):+.1f}",
            str(sum(one["attacked"]["unanswered"] for one in pairs)),
            f"{before:.0f}",
            f"{max(one['resident_kb'] for one in pairs) / 1024:.0f}",
            f"{after:.0f}",
            "yes" if is_met(attack) else "no",
        )


_PLACES: Final = (
    ("p50", "quiet"), ("p50", "attacked"), ("p99", "quiet"), ("p99", "attacked"),
)  # fmt: skip


def is_met(attack: dict[str, Any]) -> bool:
    """Tell whether p99 rose by a quarter or 5 ms at most, all were answered, and memory is flat."""
    pairs = attack["pairs"]
    share = median(_more_ms(one) / _p99(one, "quiet") for one in pairs)
    before_kb, after_kb = attack["resident_kb"]
    return (
        (share <= SHARE_MAX or median(map(_more_ms, pairs)) <= MORE_MS_MAX)
        and not any(one["attacked"]["unanswered"] for one in pairs)
        and after_kb - before_kb <= GROWN_MB_MAX * 1024
    )


def is_sound(result: dict[str, Any]) -> bool:
    """Whether every good terminal heard the right answer to everything, attacked or not."""
    return not any(
        one[side]["wrong"] or one[side]["unsettled"]
        for attack in result["attacks"]
        for one in attack["pairs"]
        for side in ("quiet", "attacked")
    )


def print_attacks(result: dict[str, Any]) -> None:
    """Print a result's table, and what its bad clients did."""
    console = wide_console()
    title = "quick run, no figures to keep" if result["quick"] else "bad clients"
    print_table(console, title, HOSTILE_HEADINGS, attack_rows(result))
    for line in attack_lines(result):
        console.print(line, highlight=False)


def attack_lines(result: dict[str, Any]) -> Iterator[str]:
    """Give what each kind of client did in its last pair."""
    for attack in result["attacks"]:
        did = ", ".join(f"{count:,} {name}" for name, count in attack["pairs"][-1]["did"].items())
        yield f"{attack['kind']}: {did.replace('_', ' ')}"


def _p99(pair: dict[str, Any], side: str) -> float:
    found: float = pair[side]["latency_ms"]["p99"]
    return found


def _more_ms(pair: dict[str, Any]) -> float:
    return _p99(pair, "attacked") - _p99(pair, "quiet")


def _middle(pairs: list[dict[str, Any]], side: str, name: str) -> float:
    found: float = median(one[side]["latency_ms"][name] for one in pairs)
    return found
