"""Rows of a file of new outlets: all problems of the whole file, and what rows become. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from libs.registry.entities import EntityStatus, Outlet, OutletGroup, Terminal
from services.admin.domain import outlet as outlets
from services.admin.domain import terminal as terminals
from services.admin.domain.edit import (
    code_problem,
    groups_problem,
    name_problem,
    region_problem,
    word_problem,
)
from services.admin.domain.outlet import place_of
from services.admin.domain.role import Scope


class OutletRow(NamedTuple):
    """One row of the file, as it was read."""

    row: int  # As the program that made the file counts: the header is row 1.
    code: str
    name: str
    region: str = ""
    groups: tuple[str, ...] = ()
    terminal: str = ""  # Empty: the outlet comes without one.
    listener: str = terminals.LISTENER


class Problem(NamedTuple):
    """What is wrong, where."""

    row: int
    column: str
    sentence: str


class KnownCodes(NamedTuple):
    """What the registry has already of what a file names."""

    outlets: Collection[str]
    terminals: Collection[str]
    groups: Mapping[str, OutletGroup]


class RowChecker:
    """Checks rows in the order of the file; it remembers which codes came before."""

    def __init__(self, known: KnownCodes, scope: Scope) -> None:
        self._known = known
        self._scope = scope
        self._outlets: dict[str, int] = {}
        self._terminals: dict[str, int] = {}

    def check(self, rows: Iterable[OutletRow]) -> Iterator[Problem]:
        """Give every problem of further rows."""
        for row in rows:
            for column, sentence in self._problems(row):
                if sentence:
                    yield Problem(row.row, column, sentence)

    def _problems(self, row: OutletRow) -> Iterator[tuple[str, str]]:
        yield (
            "code",
            (
                code_problem(row.code, what=outlets.WHAT, length=outlets.CODE_LENGTH)
                or _taken(row.code, self._known.outlets, self._outlets, row.row)
            ),
        )
        yield "name", name_problem(row.name)
        yield "region", region_problem(row.region) or self._scope_problem(row)
        yield "groups", groups_problem(row.groups, self._known.groups)
        if row.terminal:
            yield (
                "terminal",
                (
                    code_problem(row.terminal, what=terminals.WHAT, length=terminals.CODE_LENGTH)
                    or _taken(row.terminal, self._known.terminals, self._terminals, row.row)
                ),
            )
            yield "listener", word_problem(row.listener, what="A listener's name")

    def _scope_problem(self, row: OutletRow) -> str:
        if self._scope.covers(place_of(outlet_of(row, 0))):
            return ""
        return "This region and these groups are outside of your scope."


def outlet_of(row: OutletRow, number: int) -> Outlet:
    """Return the outlet of a row with its owner number."""
    return Outlet(
        code=row.code,
        number=number,
        name=row.name,
        groups=frozenset(row.groups),
        status=EntityStatus.ACTIVE,
        region=row.region,
    )


def terminal_of(row: OutletRow, *, may_omit_mac: bool) -> Terminal:
    """Return the terminal of a row that has one."""
    return Terminal(
        code=row.terminal,
        outlet=row.code,
        listener=row.listener,
        has_mac_key=False,
        may_omit_mac=may_omit_mac,
        groups=frozenset(),
        status=EntityStatus.ACTIVE,
    )


def named_groups(rows: Sequence[OutletRow]) -> frozenset[str]:
    """Return every group that a file names."""
    return frozenset(group for row in rows for group in row.groups)


def _taken(code: str, known: Collection[str], before: dict[str, int], row: int) -> str:
    first = before.setdefault(code, row)
    if first != row:
        return f"Row {first} has this code already."
    return "This code is in the registry already." if code in known else ""
