"""Rows of an outlet file: every problem by row and column."""

from typing import Any

import pytest

from libs.fakes.registry import a_group, a_terminal, an_outlet
from libs.registry import EntityStatus
from services.admin.domain.outlet_rows import (
    KnownCodes,
    OutletRow,
    Problem,
    RowChecker,
    outlet_of,
    terminal_of,
)
from services.admin.domain.role import Scope

KNOWN = KnownCodes(
    outlets={"BUMA00000000009"},
    terminals={"LSK00009"},
    groups={"even": a_group("even"), "old": a_group("old", status=EntityStatus.CLOSED)},
)


def a_row(row: int = 2, code: str = "BUMA00000000001", **fields: Any) -> OutletRow:
    """Return a row without any problem."""
    return OutletRow(row, code, "Kios")._replace(**fields)


EVERYWHERE = Scope()


def problems(*rows: OutletRow, scope: Scope = EVERYWHERE) -> list[Problem]:
    return list(RowChecker(KNOWN, scope).check(rows))


def test_has_nothing_to_say_of_right_rows() -> None:
    """With and without terminal, region and groups."""
    full = a_row(3, "BUMA00000000002", region="papua", groups=("even",), terminal="LSK00001")

    assert [] == problems(a_row(), full)


@pytest.mark.parametrize(
    ("fields", "column"),
    [
        ({"code": "BUMA"}, "code"),
        ({"code": "BUMA00000000009"}, "code"),
        ({"name": ""}, "name"),
        ({"region": "Papua Selatan"}, "region"),
        ({"groups": ("nobody",)}, "groups"),
        ({"groups": ("even", "old")}, "groups"),
        ({"terminal": "LSK1"}, "terminal"),
        ({"terminal": "LSK00009"}, "terminal"),
        ({"terminal": "LSK00001", "listener": "E D C"}, "listener"),
    ],
)
def test_names_the_column(fields: dict[str, Any], column: str) -> None:
    """Each mistake is found where it stands."""
    assert [(2, column)] == [one[:2] for one in problems(a_row()._replace(**fields))]


def test_finds_every_problem_of_a_row() -> None:
    """A row is not left at its first mistake."""
    found = problems(a_row(name="", region="P", groups=("nobody",), terminal="x"))

    assert ["name", "region", "groups", "terminal"] == [one.column for one in found]


def test_finds_codes_that_stand_there_twice() -> None:
    """The second row is told which one came first, also in a later piece of the file."""
    checker = RowChecker(KNOWN, Scope())
    first = a_row(2, terminal="LSK00001")
    again = a_row(7, terminal="LSK00001")

    assert [] == list(checker.check([first]))
    assert [(7, "code"), (7, "terminal")] == [one[:2] for one in checker.check([again])]
    assert "Row 2 " in problems(first, again)[0].sentence


def test_stays_within_the_scope() -> None:
    """An operator of one region imports no outlet of another one, or of none."""
    scope = Scope(regions=frozenset({"papua"}))

    found = problems(a_row(region="papua"), a_row(3, "BUMA00000000002"), scope=scope)

    assert [(3, "region")] == [one[:2] for one in found]


def test_becomes_an_outlet_with_its_terminal() -> None:
    """What was read is what is registered."""
    row = a_row(groups=("even",), region="papua", terminal="LSK00001")

    assert an_outlet(1, region="papua") == outlet_of(row, 1)
    assert a_terminal(1) == terminal_of(row, may_omit_mac=True)
