"""What the commands of the registry send and show."""

from typing import Any

import pytest

from services.cli.commands.outlet import _body
from services.cli.commands.product import _asks_pin, _minor
from services.cli.commands.registry_entries import Kind, given, is_table, text_of, wanted_groups
from services.cli.csv_file import CsvFile, CsvRow


def test_names_each_entry_in_its_address() -> None:
    """A code may hold signs that mean something in an address."""
    kind = Kind("outlet", ())

    assert ("/v1/outlets", "/v1/outlets/A%3F%23%2541") == (kind.path, kind.path_of("A?#%41"))


def test_sends_only_what_was_given() -> None:
    """What is left out stays as it is; no and nothing are values."""
    assert {"name": "", "flag": False, "groups": []} == given(
        name="", flag=False, groups=[], region=None
    )


@pytest.mark.parametrize(
    ("names", "none", "expected"), [(None, False, None), ([], False, None), (["a"], False, ["a"])]
)
def test_tells_no_groups_from_nothing_said(
    *, names: list[str] | None, none: bool, expected: list[str] | None
) -> None:
    """No option leaves the groups alone; taking it out of all is an option of its own."""
    assert expected == wanted_groups(names, none=none)
    assert [] == wanted_groups(names, none=True)


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (True, "yes"), (False, "no"), (["a", 1], "a, 1"), (0, "0")]
)
def test_writes_fields_for_people(value: object, text: str) -> None:
    """Nothing is empty, yes is yes, a list is its parts."""
    assert text == text_of(value)
    assert not is_table(value)


def test_sends_rupiah_as_minor_units() -> None:
    """Options are rupiah, the API takes sen; an amount for PINs says that they are asked."""
    assert (5_000_000, None) == (_minor(50_000), _minor(None))
    assert [True, None, False, None] == [
        _asks_pin(pin=None, above=5),
        _asks_pin(pin=None, above=None),
        _asks_pin(pin=False, above=5),
        _asks_pin(pin=None, above=0),
    ]


def test_sends_rows_of_a_file() -> None:
    """Groups are separated by semicolons; a listener that is not named is the usual one."""
    cells = {"code": "A", "name": "K", "region": "", "terminal": "T", "listener": ""}
    rows = [
        CsvRow(2, {**cells, "groups": "even; north ;"}),
        CsvRow(3, {**cells, "groups": "", "listener": "edc2"}),
    ]

    body: dict[str, Any] = _body(CsvFile(rows, [], "00"), without_mac=True, is_check=False)

    assert [["even", "north"], []] == [row["groups"] for row in body["rows"]]
    assert [None, "edc2"] == [row.get("listener") for row in body["rows"]]
    assert ("00", True, False) == (body["sha256"], body["may_omit_mac"], body["is_check"])
