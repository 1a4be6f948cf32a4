"""The house is tidy: no rule finds anything in this repository."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.run import RINGS
from tests.tidy import evidence, pages, places, remarks, rooms, sizes
from tests.tidy.planted import PLANTED, Planted

ROOT = Path(__file__).resolve().parents[2]

RULES: dict[str, Callable[[Path], list[str]]] = {
    rule.__name__: rule
    for rule in (
        sizes.function_sizes,
        sizes.file_sizes,
        rooms.rooms_of_services,
        rooms.migrations_without_gaps,
        rooms.readmes,
        rooms.top_level,
        rooms.python_names,
        rooms.mirrored_tests,
        places.sql_in_store,
        places.clocks,
        places.environment,
        places.broad_excepts,
        places.money_without_float,
        evidence.tests_explain_themselves,
        evidence.tests_can_fail,
        evidence.no_mocks,
        remarks.waivers_have_reasons,
        remarks.todos_have_numbers,
        remarks.nothing_of_one_machine,
        remarks.targets_are_documented,
        pages.pages_name_what_exists,
        pages.pages_have_one_title,
        pages.decisions_are_short,
        pages.tree_is_drawn,
    )
}


@pytest.mark.parametrize("name", RULES)
def test_house_keeps_the_rule(name: str) -> None:
    """Each rule holds everywhere."""
    found = RULES[name](ROOT)

    assert not found, "\n".join(found)


@pytest.mark.parametrize("case", PLANTED, ids=lambda case: f"{case.rule}: {case.finding}")
def test_rule_finds_what_was_planted(case: Planted, tmp_path: Path) -> None:
    """A violation in a small house beside this one is found, and named."""
    case.write(tmp_path)

    assert case.finding in RULES[case.rule](tmp_path)


@pytest.mark.parametrize("case", PLANTED, ids=lambda case: f"{case.rule}: {case.finding}")
def test_rule_is_silent_once_it_is_repaired(case: Planted, tmp_path: Path) -> None:
    """The same house without the violation passes, so that the rule does not cry at everything."""
    case.write_repaired(tmp_path)

    assert case.finding not in RULES[case.rule](tmp_path)


def test_every_rule_was_seen_to_find_something() -> None:
    """A rule that nothing can break guards nothing."""
    assert set(RULES) == {case.rule for case in PLANTED}


def test_every_ring_is_run() -> None:
    """The runner knows each folder of tests, so that none is forgotten."""
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()} - {"__pycache__"}

    assert folders <= {ring.name for ring in RINGS}
