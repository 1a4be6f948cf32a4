"""A result as people read it: medians over its rounds, as a table on a terminal or in Markdown."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from loadtests.rounds import EMBEDDED, KAFKA

BEFORE_CPU: Final = (
    "level", "purchases/s", "x pgbench", "p50 ms", "p95", "p99", "p99.9", "max",
)  # fmt: skip
AFTER_CPU: Final = ("sum", "busy", "others")
CPU_PARTS: Final = {
    "switch": "switch", "iso_bridge": "bridge", "authorization": "auth.", "card_ledger": "ledger",
    "admin": "admin", "postgres": "PG", "kafka": "broker",
    "driver": "driver",
}  # fmt: skip
"""All whose CPU is counted, in the order in which they are shown."""

SWITCHES: Final = (EMBEDDED, KAFKA)
WIDTH: Final = 180
ANSWER_HEADINGS: Final = (
    "level", "answers by code", "other messages", "unanswered", "late", "wrong",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Level:
    """One level in all rounds, with each round's pgbench beside it."""

    name: str
    rounds: Sequence[dict[str, Any]]
    yardsticks: Sequence[float | None]

    def middle(self, *path: str) -> float | None:
        """Return the median over the rounds of a figure; None where no round has it."""
        found = []
        for one in self.rounds:
            value: Any = one
            for step in path:
                value = value.get(step) if value is not None else None
            if value is not None:
                found.append(float(value))
        return median(found) if found else None

    def ratio(self) -> float | None:
        """Return the median of each round's rate over pgbench's of the same round."""
        ratios = [
            one["purchases_per_s"] / yardstick
            for one, yardstick in zip(self.rounds, self.yardsticks, strict=True)
            if yardstick
        ]
        return median(ratios) if ratios else None

    def cpu_us(self, *, but: str = "") -> float | None:
        """Return the median of what all parts used a purchase, but one; None if one is unknown."""
        sums = []
        for one in self.rounds:
            used = [value for part, value in one["cpu_us"].items() if part != but]
            if None in used:
                return None
            sums.append(sum(used))
        return median(sums) if sums else None

    def total(self, key: str) -> int:
        """Return a count over all rounds."""
        return sum(int(one[key]) for one in self.rounds)

    def counted(self, key: str) -> Counter[str]:
        """Return counts by name over all rounds."""
        found: Counter[str] = Counter()
        for one in self.rounds:
            found.update(one[key])
        return found


def switches_of(result: dict[str, Any]) -> list[str]:
    """Return which switches a result has figures of; the first results had the embedded one."""
    rounds = result["rounds"]
    if not rounds or "levels" in rounds[0]:
        return [SWITCHES[0]]
    return [name for name in SWITCHES if name in rounds[0]]


def of_switch(result: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a result as if this switch alone had been measured; ``KeyError`` if it was not."""
    if name not in switches_of(result):
        raise KeyError(name)
    if not result["rounds"] or "levels" in result["rounds"][0]:
        return {**result, "switch": name}
    rounds = [{"pgbench": one["pgbench"], **one[name]} for one in result["rounds"]]
    return {**result, "rounds": rounds, "switch": name}


def headings(result: dict[str, Any]) -> tuple[str, ...]:
    """Return the headings over ``rate_rows``."""
    first, *others = (CPU_PARTS[part] for part in _parts(result))
    return (*BEFORE_CPU, f"CPU µs: {first}", *others, *AFTER_CPU)


def levels_of(result: dict[str, Any]) -> list[Level]:
    """Return the levels of a result in their order."""
    rounds = result["rounds"]
    yardsticks = [one["pgbench"]["tps"] if one["pgbench"] else None for one in rounds]
    names = [level["name"] for level in rounds[0]["levels"]]
    return [
        Level(name, [one["levels"][at] for one in rounds], yardsticks)
        for at, name in enumerate(names)
    ]


def rate_rows(result: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Give what stands under ``headings``, a row a level, pgbench first."""
    parts = _parts(result)
    yardsticks = [one["pgbench"]["tps"] for one in result["rounds"] if one["pgbench"]]
    if yardsticks:
        plan = result["plan"]
        name = f"pgbench, scale {plan['pgbench_scale']}, 8 clients"
        yield (name, _spread(yardsticks), "1.00", *[""] * (len(headings(result)) - 3))
    for level in levels_of(result):
        ratio = level.ratio()
        yield (
            level.name,
            _spread([one["purchases_per_s"] for one in level.rounds]),
            "" if ratio is None else f"{ratio:.2f}",
            *(_ms(level.middle("latency_ms", name)) for name in _PERCENTILES),
            *_cpu(level, parts),
            f"{level.middle('busy') or 0:.0%}",
            f"{level.middle('others_cores') or 0:.2f}",
        )


def answer_rows(result: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Give what stands under ANSWER_HEADINGS: counts over all rounds."""
    for level in levels_of(result):
        yield (
            level.name,
            _counts(level.counted("codes")),
            _counts(level.counted("others")),
            f"{level.total('unanswered'):,}",
            f"{level.total('late'):,}",
            f"{level.total('wrong') + level.total('unsettled'):,}",
        )


def book_lines(result: dict[str, Any]) -> Iterator[str]:
    """Say what the checks of each round found, a sentence a round."""
    for number, one in enumerate(result["rounds"], 1):
        books, verified, entries = one["books"], one["ledger_verify"], one.get("entries")
        if books["is_clean"] and verified["is_clean"] and (not entries or entries["is_clean"]):
            yield (
                f"round {number}: sum {books['sum']} over {books['accounts']:,} accounts, "
                f"{books['keys']:,} keys as their terminals believe, chain verified"
                f"{_of_entries(entries)}"
            )
            continue
        yield f"round {number}: NOT CLEAN: {_counts(Counter(books['contradictions']))}"
        yield from books["examples"]
        if not verified["is_clean"]:
            yield f"ledger verify: {verified['said']}"
        if entries and not entries["is_clean"]:
            yield f"entries: {_counts(Counter(entries['contradictions']))}"


def _of_entries(entries: dict[str, Any] | None) -> str:
    if not entries:
        return ""
    return f", {entries['batches']:,} batches of entries published without a gap"


def wide_console() -> Console:
    """Return where to print: a log has room, and cut columns help nobody."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def print_table(
    console: Console, title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """Print one table."""
    table = Table(*headings, title=title, box=SIMPLE)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def print_report(result: dict[str, Any]) -> None:
    """Print a result's tables."""
    console = wide_console()
    for name in switches_of(result):
        _print_switch(console, name, of_switch(result, name))


def _print_switch(console: Console, name: str, result: dict[str, Any]) -> None:
    many = len(result["rounds"])
    title = "quick run, no figures to keep" if result["quick"] else f"medians of {many} round(s)"
    for heading, columns, rows in (
        (f"{name}: {title}", headings(result), rate_rows(result)),
        (f"{name}: answers, all rounds", ANSWER_HEADINGS, answer_rows(result)),
    ):
        print_table(console, heading, columns, rows)
    for line in book_lines(result):
        console.print(line, highlight=False)
    for level in levels_of(result):
        for one in level.rounds:
            for problem in one["problems"]:
                console.print(f"{level.name}: {problem}", highlight=False)


_PERCENTILES: Final = ("p50", "p95", "p99", "p999", "max")


def _spread(values: Sequence[float]) -> str:
    middle = f"{median(values):,.0f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):,.0f}-{max(values):,.0f})"


def _ms(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"  # noqa: PLR2004 -- three digits are enough


def _parts(result: dict[str, Any]) -> list[str]:
    levels = [level for one in result["rounds"] for level in one["levels"]]
    found = {part for level in levels for part in level["cpu_us"]}
    return [part for part in CPU_PARTS if part in found]


def _cpu(level: Level, parts: Sequence[str]) -> Iterator[str]:
    """Give what each part used a purchase, then the sum of what is known."""
    used = [level.middle("cpu_us", name) for name in parts]
    for one in used:
        yield "?" if one is None else f"{one:,.0f}"
    yield f"{sum(one for one in used if one is not None):,.0f}"


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name}: {counts[name]:,}" for name in sorted(counts)) or "none"
