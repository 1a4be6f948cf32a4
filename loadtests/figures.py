"""``make figures``: builds every table of loadtests/README.md from the result files it names.

A table stands between ``<!-- figures: KIND FILE -->`` and ``<!-- /figures -->``; FILE is relative
to loadtests/results, and a switch's name follows where a result has several. ``--check`` changes
nothing and fails when a table is not what it would be.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from loadtests.chaos_report import CHAOS_HEADINGS, chaos_lines, chaos_rows, chaos_setting
from loadtests.hostile_report import HOSTILE_HEADINGS, attack_lines, attack_rows
from loadtests.report import (
    ANSWER_HEADINGS,
    answer_rows,
    book_lines,
    headings,
    of_switch,
    rate_rows,
)
from loadtests.rolling_report import ROLL_HEADINGS, roll_rows
from loadtests.takeover_report import START_HEADINGS, start_rows
from loadtests.targets import TARGET_HEADINGS, target_rows

HERE: Final = Path(__file__).resolve().parent
README: Final = HERE / "README.md"
RESULTS: Final = HERE / "results"

BLOCK: Final = re.compile(
    r"(?P<open><!-- figures: (?P<kind>[a-z]+) (?P<file>\S+)(?: (?P<switch>[a-z]+))? -->\n)"
    r".*?(?P<close><!-- /figures -->)",
    re.DOTALL,
)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def rates(result: dict[str, Any]) -> str:
    """Write rates, ratios, percentiles and CPU of a result."""
    return table(headings(result), rate_rows(result))


def targets(result: dict[str, Any]) -> str:
    """Write what a switch shall reach beside what it does."""
    return table(TARGET_HEADINGS, target_rows(result, result["switch"]))


def answers(result: dict[str, Any]) -> str:
    """Write the answers by code and what was not answered."""
    return table(ANSWER_HEADINGS, answer_rows(result))


def books(result: dict[str, Any]) -> str:
    """Write what the checks of the books found."""
    return "".join(f"- {line}\n" for line in book_lines(result))


def starts(result: dict[str, Any]) -> str:
    """Write how soon a switch served, beside what it may take."""
    return table(START_HEADINGS, start_rows(result))


def rolling(result: dict[str, Any]) -> str:
    """Write what the restart of each process cost."""
    return table(ROLL_HEADINGS, roll_rows(result))


def chaos(result: dict[str, Any]) -> str:
    """Write what each kind of strike met, and what was true after all of them."""
    where, lines = (
        "".join(f"- {line}\n" for line in some(result)) for some in (chaos_setting, chaos_lines)
    )
    return f"{where}\n{table(CHAOS_HEADINGS, chaos_rows(result))}\n{lines}"


def hostile(result: dict[str, Any]) -> str:
    """Write what good terminals felt of each kind of bad client."""
    plan = result["plan"]
    how = (
        f"{plan['pairs']} pairs of {plan['seconds']:g} s each, {plan['rate']:g} purchases/s of"
        f" {plan['good']} terminals, embedded"
    )
    where, did = _lines([*_where(result), how]), _lines(attack_lines(result))
    return f"{where}\n{table(HOSTILE_HEADINGS, attack_rows(result))}\n{did}"


def setting(result: dict[str, Any]) -> str:
    """Write where and with what a result was measured."""
    plan = result["plan"]
    how = (
        f"{len(result['rounds'])} rounds, {plan['cards']:,} cards, {plan['outlets']:,} outlets"
        f"{_of_a_level(plan)}{_tried(result.get('knobs', {}))}"
    )
    return _lines([*_where(result), how])


KINDS: Final[Mapping[str, Callable[[dict[str, Any]], str]]] = {
    "rates": rates, "answers": answers, "books": books, "setting": setting, "starts": starts,
    "targets": targets, "rolling": rolling, "chaos": chaos, "hostile": hostile,
}  # fmt: skip


def fill(text: str, read: Callable[[str], dict[str, Any]]) -> str:
    """Return the text with every table built anew; ``KeyError`` for an unknown kind or switch."""

    def build(block: re.Match[str]) -> str:
        result = read(block["file"])
        if block["switch"]:
            result = of_switch(result, block["switch"])
        return block["open"] + KINDS[block["kind"]](result) + block["close"]

    return BLOCK.sub(build, text)


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / name).read_text())
    return found


def _where(result: dict[str, Any]) -> tuple[str, str, str]:
    machine = result["machine"]
    where = (
        f"{result['date']}, {machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB,"
        f" kernel {machine['kernel']}, {machine['filesystem'] or 'unknown file system'}"
    )
    return where, _pairs(result["postgres"]), _pairs(result["versions"])


def _lines(parts: Iterable[str]) -> str:
    return "".join(f"- {part}\n" for part in parts)


def _of_a_level(plan: Mapping[str, Any]) -> str:
    return f", {plan['seconds']:g} s a level" if "seconds" in plan else ""


def _tried(knobs: Mapping[str, str]) -> str:
    return f", with {_pairs(knobs)}" if knobs else ""


def _pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def main() -> int:
    """Build the tables, or check that they are built."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    asked = parser.parse_args()
    before = README.read_text()
    after = fill(before, _read)
    if before == after:
        return 0
    if asked.check:
        print("figures: tables of loadtests/README.md are not what their results give")
        return 1
    README.write_text(after)
    print("figures: loadtests/README.md has new tables")
    return 0


if __name__ == "__main__":
    sys.exit(main())
