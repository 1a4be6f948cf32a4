"""A result of ``make takeover`` as people read it: seconds beside their budgets."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from loadtests.report import book_lines, print_table, wide_console
from loadtests.takeover_make_run import FIRST, NEXT
from loadtests.takeover_trials import FROZEN, KILLED, RESTART

START_HEADINGS: Final = ("what", "from", "to", "median s", "min-max", "must s", "aim s", "met")


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One moment of a trial and what it may cost; seconds, None: no budget."""

    trial: str
    began: str
    moment: str
    shown: str
    must_s: float | None = None
    aim_s: float | None = None


PROMISES: Final = (
    Promise(
        trial=RESTART, began="its start", moment="approved_ms", shown="first approved purchase",
        must_s=2.0, aim_s=1.0,
    ),
    Promise(trial=RESTART, began="its start", moment="ready_ms", shown="/readyz says 200"),
    Promise(
        trial=KILLED, began="the kill", moment="approved_ms", shown="first approved purchase",
        must_s=6.0, aim_s=4.0,
    ),
    Promise(
        trial=FROZEN, began="the SIGSTOP", moment="approved_ms", shown="first approved purchase",
        must_s=6.0, aim_s=4.0,
    ),
    Promise(
        trial=FIRST, began="make", moment="ready_ms", shown="/readyz says 200", must_s=20.0
    ),
    Promise(trial=FIRST, began="make", moment="shown_ms", shown="the closing table"),
    Promise(trial=NEXT, began="make", moment="ready_ms", shown="/readyz says 200", must_s=5.0),
)  # fmt: skip


def start_rows(result: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Give what stands under START_HEADINGS, a row a promise that the result can judge."""
    for promise in PROMISES:
        found = seconds_of(result, promise)
        if found:
            yield (
                promise.trial, promise.began, promise.shown, f"{median(found):.2f}",
                f"{min(found):.2f}-{max(found):.2f}", _budget(promise.must_s),
                _budget(promise.aim_s), _met(median(found), promise),
            )  # fmt: skip


def seconds_of(result: dict[str, Any], promise: Promise) -> list[float]:
    """Return a moment of each round in which its trial took place."""
    return [
        trial[promise.moment] / 1000
        for one in result["rounds"]
        for trial in one["trials"]
        if trial["name"] == promise.trial
    ]


def is_sound(result: dict[str, Any]) -> bool:
    """Whether every answer was right, every request settled and the books agreed in every round."""
    return all(
        one["books"]["is_clean"]
        and one["ledger_verify"]["is_clean"]
        and not any(trial.get("wrong") or trial.get("unsettled") for trial in one["trials"])
        for one in result["rounds"]
    )


def print_starts(result: dict[str, Any]) -> None:
    """Print a result's table and what the books said."""
    console = wide_console()
    many = len(result["rounds"])
    title = "quick run, no figures to keep" if result["quick"] else f"medians of {many} round(s)"
    print_table(console, title, START_HEADINGS, start_rows(result))
    for line in book_lines(result):
        console.print(line, highlight=False)
    for one in result["rounds"]:
        for trial in one["trials"]:
            for problem in trial.get("problems", []):
                console.print(f"{trial['name']}: {problem}", highlight=False)


def _budget(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:g}"


def _met(seconds: float, promise: Promise) -> str:
    """Say which budget a median meets; nothing where there is none."""
    if promise.must_s is None:
        return ""
    if seconds > promise.must_s:
        return "no"
    return "aim" if promise.aim_s is not None and seconds <= promise.aim_s else "must"
