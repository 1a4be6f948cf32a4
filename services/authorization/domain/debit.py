"""Which purses may pay which goods at an outlet (edc.md, Which purse pays)."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from libs.outcome import Fault
from libs.registry.entities import EntityStatus, Outlet, Programme
from services.authorization.domain.card import Purse

REST_CLASS = 0
"""The class of whatever no line names."""


class GoodsBroken(Fault):
    """The lines of a request cannot be right; its edge should have seen it."""


class Line(NamedTuple):
    """Goods of one class and the accounts that may pay them, the own purse last."""

    goods_class: int
    amount: int
    purses: tuple[int, ...]


def split_goods(goods: Iterable[tuple[int, int]], amount: int) -> dict[int, int]:
    """Return minor units by goods class, in the order sent, the unnamed rest last.

    Raises GoodsBroken.
    """
    by_class: dict[int, int] = {}
    rest = amount
    for goods_class, part in goods:
        if part < 0:
            raise GoodsBroken("a goods line is worth less than nothing")
        if part:
            by_class[goods_class] = by_class.get(goods_class, 0) + part
            rest -= part
    if rest < 0:
        raise GoodsBroken("goods lines are worth more than the amount of their purchase")
    if rest:
        by_class[REST_CLASS] = by_class.get(REST_CLASS, 0) + rest
    return by_class


def usable_purses(
    purses: Sequence[Purse], outlet: Outlet, programme: Callable[[int], Programme | None]
) -> list[tuple[Purse, Programme]]:
    """Return the purses whose programme is active and allows a group of this outlet, in order."""
    usable = []
    for purse in purses:
        found = programme(purse.programme)
        if (
            found is not None
            and found.status is EntityStatus.ACTIVE
            and not found.outlet_groups.isdisjoint(outlet.groups)
        ):
            usable.append((purse, found))
    return usable


def debit_lines(
    goods: Iterable[tuple[int, int]],
    amount: int,
    usable: Sequence[tuple[Purse, Programme]],
    own_account: int,
) -> list[Line]:
    """Return one line for each goods class with the accounts that may pay it; own purse last."""
    own = (own_account,)
    return [
        Line(
            goods_class,
            part,
            tuple(
                [
                    purse.account
                    for purse, programme in usable
                    if not programme.goods_classes or goods_class in programme.goods_classes
                ]
            )
            + own
            if usable
            else own,
        )
        for goods_class, part in split_goods(goods, amount).items()
    ]
