"""Show what the registry holds, to whoever may see it where it is."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from libs.contracts.lesko.v1.registry_pb2 import RegistryChange
from libs.registry.entities import Outlet, Product, Terminal, outlet_entity
from libs.registry.records import Entry, read_entry
from services.admin.domain.act import Json
from services.admin.domain.edited import code_of, show_entry
from services.admin.domain.outlet import place_of
from services.admin.domain.permission import refuse_role, refuse_scope
from services.admin.domain.product import show_product
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import EVERYWHERE, Caller, Place
from services.admin.ports import RegistryWork, Transactions

SHOW: Final = "registry.show"
_PRODUCT: Final = "product"
_ROWS_AT_ONCE: Final = 500
_PRODUCT_SETS_MAX: Final = 10_000


class Shown(NamedTuple):
    """An entry as the API shows it."""

    fields: Mapping[str, Json]


class Page(NamedTuple):
    """Entries in the order of their codes; ``after`` continues behind them, empty: that was all."""

    rows: Sequence[Mapping[str, Json]]
    after: str


class _Row(NamedTuple):
    entry: Entry
    version: int
    changed_ms: int


class ReadRegistry:
    """Outlets and terminals within the caller's scope; what is everywhere, to everybody."""

    def __init__(self, transactions: Transactions, today: Callable[[], int]) -> None:
        """``today`` gives the business day, since 1970-01-01."""
        self._transactions = transactions
        self._today = today

    async def one(self, caller: Caller, kind: str, code: str) -> Shown | Refused:
        """Return an entry of a kind ("outlet") whatever its status."""
        if (why := refuse_role(caller, SHOW)) is not None:
            return Refused(why)
        async with self._transactions.begin() as work:
            if kind == _PRODUCT:
                sets = await _sets(work.registry, f"{_PRODUCT}/{code}")
                return Shown(self._product(code, sets)) if sets else Refused(Refusal.UNKNOWN)
            found = await work.registry.find([f"{kind}/{code}"])
            for row in map(_row, found.values()):
                [place] = await _places(work.registry, [row])
                if _sees(caller, row, place):
                    return Shown(_show(row))
                return Refused(Refusal.NOT_YOUR_SCOPE)
        return Refused(Refusal.UNKNOWN)

    async def page(self, caller: Caller, kind: str, *, after: str, rows_max: int) -> Page | Refused:
        """Return entries of a kind behind a code that the caller may see."""
        if (why := refuse_role(caller, SHOW)) is not None:
            return Refused(why)
        async with self._transactions.begin() as work:
            if kind == _PRODUCT:
                return await self._products(work.registry, after=after, rows_max=rows_max)
            return await _visible(work.registry, caller, kind, after=after, rows_max=rows_max)

    async def _products(self, registry: RegistryWork, *, after: str, rows_max: int) -> Page:
        """Return products with their sets; there are few, so all are read."""
        sets = await _sets(registry, _PRODUCT)
        by_code = {
            code: list(rows) for code, rows in groupby(sets, key=lambda row: code_of(row.entry))
        }
        codes = sorted(code for code in by_code if code > after)
        shown = [self._product(code, by_code[code]) for code in codes[:rows_max]]
        return Page(shown, codes[rows_max - 1] if len(codes) > rows_max else "")

    def _product(self, code: str, rows: Sequence[_Row]) -> Mapping[str, Json]:
        sets = [row.entry for row in rows if isinstance(row.entry, Product)]
        return {
            **show_product(code, sets, today=self._today()),
            "version": sum(row.version for row in rows),
            "changed_ms": max(row.changed_ms for row in rows),
        }


async def _visible(
    registry: RegistryWork, caller: Caller, kind: str, *, after: str, rows_max: int
) -> Page:
    """Read on until a page is full of what the caller may see, or nothing is left."""
    shown: list[Mapping[str, Json]] = []
    last, behind = "", f"{kind}/{after}"
    while True:
        changes = await registry.list(kind, after=behind, rows_max=_ROWS_AT_ONCE)
        rows = [_row(change) for change in changes]
        for row, place in zip(rows, await _places(registry, rows), strict=True):
            if not _sees(caller, row, place):
                continue
            if len(shown) == rows_max:
                return Page(shown, last)
            shown.append(_show(row))
            last = code_of(row.entry)
        if len(rows) < _ROWS_AT_ONCE:
            return Page(shown, "")
        behind = changes[-1].entity


async def _places(registry: RegistryWork, rows: Sequence[_Row]) -> list[Place]:
    """Return where entries are, a terminal where its outlet is."""
    outlets = {row.entry.outlet for row in rows if isinstance(row.entry, Terminal)}
    found = await registry.find([outlet_entity(code) for code in outlets]) if outlets else {}
    by_code = {
        outlet.code: outlet
        for outlet in map(read_entry, found.values())
        if isinstance(outlet, Outlet)
    }
    return [_place(row.entry, by_code) for row in rows]


def _place(entry: Entry, outlets: Mapping[str, Outlet]) -> Place:
    match entry:
        case Outlet():
            return place_of(entry)
        case Terminal():
            outlet = outlets.get(entry.outlet)
            return EVERYWHERE if outlet is None else place_of(outlet)
        case _:
            return EVERYWHERE


def _sees(caller: Caller, row: _Row, place: Place) -> bool:
    """Whether the scope of an operator lets them see it; what is everywhere is seen by all."""
    if not isinstance(row.entry, Outlet | Terminal):
        return True
    return refuse_scope(caller, place) is None


async def _sets(registry: RegistryWork, kind: str) -> list[_Row]:
    changes = await registry.list(kind, after="", rows_max=_PRODUCT_SETS_MAX)
    return [_row(change) for change in changes]


def _row(change: RegistryChange) -> _Row:
    return _Row(read_entry(change), change.version, change.changed_ms)


def _show(row: _Row) -> Mapping[str, Json]:
    return {**show_entry(row.entry), "version": row.version, "changed_ms": row.changed_ms}
