"""What a switch shall reach, and whether a result does: the budgets of the design, as data."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from loadtests.report import Level, levels_of
from loadtests.rounds import EMBEDDED, HALF, KAFKA

TARGET_HEADINGS: Final = ("level", "figure", "first", "must", "aim", "measured", "reached")

RATIO: Final = "x pgbench"
P50: Final = "p50 ms"
P99: Final = "p99 ms"
CPU: Final = "CPU µs a purchase, without the driver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A figure of a level; a ratio shall be at least that, all others at most."""

    level: str
    figure: str
    first: float | None = None  # What was to be reached before anything else.
    must: float
    aim: float

    def is_met(self, bound: float, found: float) -> bool:
        """Whether what was found keeps to a bound."""
        return found >= bound if self.figure == RATIO else found <= bound

    def reached(self, found: float) -> str:
        """Return the most that was reached."""
        if self.is_met(self.aim, found):
            return "aim"
        if self.is_met(self.must, found):
            return "must"
        return "first" if self.first is not None and self.is_met(self.first, found) else "no"


TARGETS: Final = {
    EMBEDDED: (
        Target(level="8 in flight", figure=RATIO, first=0.5, must=0.7, aim=1.0),
        Target(level="128 in flight", figure=RATIO, first=1.3, must=2.0, aim=3.0),
        Target(level="50/s", figure=P50, must=3, aim=2),
        Target(level="2000/s", figure=P99, must=20, aim=6),
    ),
    KAFKA: (
        Target(level="128 in flight", figure=RATIO, first=0.7, must=1.0, aim=1.4),
        Target(level="512 in flight", figure=RATIO, first=1.2, must=1.6, aim=2.3),
        Target(level="50/s", figure=P50, first=10, must=8, aim=5),
        Target(level="50/s", figure=P99, must=30, aim=15),
        Target(level="2000/s", figure=P50, must=20, aim=10),
        Target(level="2000/s", figure=P99, must=80, aim=30),
        Target(level=HALF, figure=P99, must=200, aim=100),
        Target(level="128 in flight", figure=CPU, must=400, aim=250),
        Target(level="512 in flight", figure=CPU, must=220, aim=150),
    ),
}


def target_rows(result: dict[str, Any], switch: str) -> Iterator[tuple[str, ...]]:
    """Give what stands under TARGET_HEADINGS, a row a target that the result can judge.

    ``result`` is of this switch alone.
    """
    levels = {level.name: level for level in levels_of(result)}
    for target in TARGETS[switch]:
        level = levels.get(target.level)
        found = None if level is None else _found(level, target.figure)
        if found is None:
            continue
        first, must, aim = (
            _bound(target, each) for each in (target.first, target.must, target.aim)
        )
        yield target.level, target.figure, first, must, aim, _number(found), target.reached(found)


def _found(level: Level, figure: str) -> float | None:
    if figure == RATIO:
        return level.ratio()
    if figure == CPU:
        return level.cpu_us(but="driver")
    return level.middle("latency_ms", {P50: "p50", P99: "p99"}[figure])


def _bound(target: Target, bound: float | None) -> str:
    if bound is None:
        return ""
    return f"{'≥' if target.figure == RATIO else '≤'} {bound:g}"


def _number(found: float) -> str:
    return f"{found:.2f}" if found < 10 else f"{found:,.0f}"  # noqa: PLR2004 -- 3 digits are enough
