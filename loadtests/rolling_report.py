"""A result of ``make rolling`` as people read it: what each restart cost, and what it may cost."""

from collections import Counter
from collections.abc import Iterator
from statistics import median
from typing import Any, Final

from loadtests.report import book_lines, print_table, wide_console

SLOW_SECONDS_MAX: Final = 10
ROLL_HEADINGS: Final = (
    "restart of", "ended s", "whole s", "purchases", "refused by us", "silent", "p50 ms before",
    "p99 before", "p99 at worst", "slow s", "slow s before", "met",
)  # fmt: skip


def roll_rows(result: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Give what stands under ROLL_HEADINGS, a row a process, in the order of restarting.

    Times are medians over the rounds, seconds above the limit the most of any round, counts sums.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for one in result["rounds"]:
        for restart in one["restarts"]:
            found.setdefault(named(restart), []).append(restart)
    for name, restarts in found.items():
        refused = sum((Counter(one["refused_by_us"]) for one in restarts), Counter[str]())
        yield (
            name,
            f"{_middle(restarts, 'ended_ms') / 1000:.2f}",
            f"{_middle(restarts, 'ready_ms') / 1000:.2f}",
            f"{sum(one['purchases'] for one in restarts):,}",
            _counts(refused),
            str(sum(one["silent"] for one in restarts)),
            f"{_middle(restarts, 'p50_before_ms'):.1f}",
            f"{_middle(restarts, 'p99_before_ms'):.1f}",
            f"{max(one['worst_p99_ms'] for one in restarts):,.0f}",
            str(max(len(one["slow"]) for one in restarts)),
            str(max(len(one["slow_before"]) for one in restarts)),
            "yes" if all(map(is_met, restarts)) else "no",
        )


def named(restart: dict[str, Any]) -> str:
    """Return what was restarted; a ledger by what it was doing."""
    service = restart["name"]
    if "role" in restart:
        return f"{service.removesuffix('-2')}, {restart['role']}"
    return f"{service.removesuffix('-2')}, the second" if service.endswith("-2") else service


def is_met(restart: dict[str, Any]) -> bool:
    """Tell whether a restart cost no refusal and was felt for ten seconds at most."""
    return not restart["refused_by_us"] and len(restart["slow"]) <= SLOW_SECONDS_MAX


def is_sound(result: dict[str, Any]) -> bool:
    """Whether every answer was right, every purchase settled and the books agreed."""
    return all(
        not one["met"]["wrong"]
        and not one["unsettled"]
        and not any(restart["refused_by_us"] for restart in one["restarts"])
        and not any(restart["exit_code"] for restart in one["restarts"])
        and all(one[check]["is_clean"] for check in ("books", "entries", "ledger_verify"))
        for one in result["rounds"]
    )


def print_rolls(result: dict[str, Any]) -> None:
    """Print a result's table and what the books said."""
    console = wide_console()
    many = len(result["rounds"])
    title = "quick run, no figures to keep" if result["quick"] else f"{many} round(s)"
    print_table(console, title, ROLL_HEADINGS, roll_rows(result))
    for line in book_lines(result):
        console.print(line, highlight=False)
    for one in result["rounds"]:
        for problem in one["met"]["problems"]:
            console.print(problem, highlight=False)


def _middle(restarts: list[dict[str, Any]], name: str) -> float:
    return median(float(one[name]) for one in restarts)


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{code}: {counts[code]}" for code in sorted(counts)) or "0"
