"""A wallet as a person sees it: its purses now and what moved last."""

from datetime import date, datetime
from typing import NamedTuple


class PurseNow(NamedTuple):
    """A purse and what it holds; minor units."""

    account: int
    programme: int
    valid_until: date | None
    balance: int


class Movement(NamedTuple):
    """One row in which the wallet's purses took part; refusals too."""

    id: int
    at: datetime
    kind: int
    outcome: int
    debit: int
    credit: int
    amount: int
    terminal: str
    outlet: str
    stan: int


class Statement(NamedTuple):
    """A wallet as of its last committed row; newest movement first."""

    purses: list[PurseNow]
    movements: list[Movement]
