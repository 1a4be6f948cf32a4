"""A result of ``make chaos`` as people read it: a row for each kind of strike."""

from collections.abc import Iterator
from statistics import median
from typing import Any, Final

from loadtests.report import print_table, wide_console

CHAOS_HEADINGS: Final = (
    "strike", "rounds", "kills", "unanswered", "booked", "answered later", "fenced",
    "healthy s", "served s", "clean",
)  # fmt: skip


def chaos_rows(result: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Give what stands under CHAOS_HEADINGS, in the order of the first round of each strike."""
    by_strike: dict[str, list[dict[str, Any]]] = {}
    for found in result["rounds"]:
        if found["counts"] or found["problems"]:
            by_strike.setdefault(found["strike"], []).append(found)
    for strike, some in by_strike.items():
        clean = sum(not found["problems"] for found in some)
        yield (
            strike, str(len(some)), str(sum(found["kills"] for found in some)),
            _span(some, "unanswered"), _span(some, "booked"), _span(some, "answered_later"),
            str(sum(found["fenced"] for found in some)) if "fenced" in some[0] else "",
            _seconds(some, "healthy_s"), _seconds(some, "served_s"), f"{clean} of {len(some)}",
        )  # fmt: skip


def chaos_lines(result: dict[str, Any]) -> Iterator[str]:
    """Give the sentences below the table."""
    rounds = result["rounds"]
    counting = [found for found in rounds if found["counts"]]
    states = ", ".join(f"{count:,} {state}" for state, count in result["belief"].items())
    verified = result["ledger_verify"]
    asked = sum(found.get("entries_asked_for", 0) for found in rounds)
    batches = sum(found.get("batches", 0) for found in rounds)
    yield (
        f"{result['kills']} kills in {len(counting)} rounds that count (and"
        f" {len(rounds) - len(counting)} that do not) in {result['seconds'] / 60:.0f} min"
    )
    yield f"every key as its terminal believes: {states}"
    if refused := sum(found.get("codes", {}).get("96", 0) for found in rounds):
        yield f"{refused:,} of those refused heard 96: they came before the registry was read again"
    yield f"`lesko ledger verify` clean {verified.count('clean')} times of {len(verified)}"
    yield f"entries of {batches:,} batches without a gap, {asked:,} of them after asking for them"


def chaos_setting(result: dict[str, Any]) -> Iterator[str]:
    """Give where, with what and how it was done."""
    machine, plan = result["machine"], result["plan"]
    yield (
        f"{result['date']}, {machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB,"
        f" kernel {machine['kernel']}, {machine['filesystem'] or 'unknown file system'}"
    )
    yield ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    yield (
        f"{plan['terminals']} terminals, {plan['cards']:,} cards, SIGSTOP for"
        f" {plan['freeze_s']:g} s, leases of {plan['lease_ms'] / 1000:g} s, answers within"
        f" {plan['answer_ms'] / 1000:g} s"
    )


def is_sound(result: dict[str, Any]) -> bool:
    """Tell whether nothing was broken, and something was done at all."""
    return (
        any(found["counts"] for found in result["rounds"])
        and not any(found["problems"] for found in result["rounds"])
        and set(result["ledger_verify"]) == {"clean"}
    )


def print_chaos(result: dict[str, Any]) -> None:
    """Print a result's table and what is below it."""
    console = wide_console()
    title = f"kill rounds, seed {result['plan']['seed']}"
    print_table(console, title, CHAOS_HEADINGS, chaos_rows(result))
    for line in chaos_lines(result):
        console.print(line, highlight=False)
    for found in result["rounds"]:
        for problem in found["problems"]:
            console.print(f"BROKEN: {found['strike']}: {problem}", highlight=False)


def _span(some: list[dict[str, Any]], name: str) -> str:
    values = [found[name] for found in some]
    return f"{min(values)}-{max(values)}" if min(values) != max(values) else str(values[0])


def _seconds(some: list[dict[str, Any]], name: str) -> str:
    values = [found[name] for found in some]
    return f"{median(values):.1f} (max {max(values):.1f})"
