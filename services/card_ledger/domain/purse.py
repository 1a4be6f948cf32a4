"""Which purse pays what (edc.md, Which purse pays). Pure; tested against brute force."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.card_ledger.domain.command import Line


class Share(NamedTuple):
    """A part of a line that one purse pays; minor units."""

    purse: int
    goods_class: int
    amount: int


def share_out(
    lines: Sequence[Line], available: Mapping[int, int], order: Sequence[int]
) -> list[Share] | None:
    """Return who pays what, in the order of the purses; None when no assignment pays all.

    Among all assignments the first purse of ``order`` pays most, then the next; ``order`` names
    restricted purses by expiry and the own purse last. Amounts available are minor units.
    """
    if len(lines) == 1:
        return _share_single(lines[0], available, order)
    paid = _Flow(lines, available)
    for purse in order:
        paid.pour(purse)
    return paid.shares(order) if paid.is_complete else None


def _share_single(
    line: Line, available: Mapping[int, int], order: Sequence[int]
) -> list[Share] | None:
    """Share out the common case of one line: each purse in turn pays what it can."""
    rest = line.amount
    shares = []
    for purse in order:
        if purse not in line.purses:
            continue
        part = min(rest, available[purse])
        if part > 0:
            shares.append(Share(purse, line.goods_class, part))
            rest -= part
            if not rest:
                return shares
    return None


class _Flow:
    """A small maximum flow from purses to lines.

    Purses are poured in order of precedence. An augmenting path may move what an earlier purse
    pays to another line, but never lowers its total, so the greedy order is the best one (the
    totals that can be reached form a polymatroid).
    """

    def __init__(self, lines: Sequence[Line], available: Mapping[int, int]) -> None:
        self._lines = lines
        self._left = dict(available)
        self._open = [line.amount for line in lines]
        self._paid: list[dict[int, int]] = [{} for _ in lines]

    @property
    def is_complete(self) -> bool:
        """Whether every line is paid."""
        return not any(self._open)

    def pour(self, purse: int) -> None:
        """Let one purse pay as much as any rearrangement allows."""
        while self._left[purse] > 0 and self._augment(purse):
            pass

    def shares(self, order: Sequence[int]) -> list[Share]:
        """Return what each purse pays, purses in order, lines in theirs."""
        return [
            Share(purse, line.goods_class, paid[purse])
            for purse in order
            for line, paid in zip(self._lines, self._paid, strict=True)
            if paid.get(purse, 0) > 0
        ]

    def _augment(self, source: int) -> bool:
        """Find the shortest way from a purse to an open line and push along it."""
        came: dict[int, tuple[int, int]] = {}  # line -> (purse that reaches it, that purse's line)
        seen = {source}
        frontier = [(source, -1)]
        while frontier:
            reached = []
            for purse, through in frontier:
                for index, line in enumerate(self._lines):
                    if index in came or purse not in line.purses:
                        continue
                    came[index] = (purse, through)
                    if self._open[index] > 0:
                        self._push(source, index, came)
                        return True
                    for other, amount in self._paid[index].items():
                        if amount > 0 and other not in seen:
                            seen.add(other)
                            reached.append((other, index))
            frontier = reached
        return False

    def _push(self, source: int, end: int, came: Mapping[int, tuple[int, int]]) -> None:
        """Move the largest amount that the whole way carries."""
        amount = min(self._left[source], self._open[end])
        index = end
        while came[index][1] >= 0:
            purse, through = came[index]
            amount = min(amount, self._paid[through][purse])
            index = through
        self._open[end] -= amount
        self._left[source] -= amount
        index = end
        while index >= 0:
            purse, through = came[index]
            self._paid[index][purse] = self._paid[index].get(purse, 0) + amount
            if through >= 0:
                self._paid[through][purse] -= amount
            index = through
