"""A card and the purses of its wallet, as the rules look at them."""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from libs.contracts.accounts import purse_account


class CardStatus(IntEnum):
    """What may be done with a card; the numbers stand in rows."""

    INACTIVE = 0
    ACTIVE = 1
    BLOCKED = 2
    LOST = 3
    STOLEN = 4
    CLOSED = 5


class Purse(NamedTuple):
    """A restricted purse."""

    account: int
    programme: int
    valid_until: int  # Its last day, in days since 1970-01-01.


class Card(NamedTuple):
    """A key to a wallet."""

    card_id: int
    wallet: int
    own_account: int
    product: str
    status: CardStatus
    expiry: str  # YYMM, good to the end of that month.
    pin_tries: int
    purses: tuple[Purse, ...]  # Restricted ones, the first to expire first (see sort_purses).


def sort_purses(purses: Iterable[Purse]) -> tuple[Purse, ...]:
    """Put purses into the order in which they pay and are shown (edc.md, Which purse pays)."""
    return tuple(sorted(purses, key=lambda purse: (purse.valid_until, purse.programme, purse)))


def own_account(wallet: int) -> int:
    """Return the account of a wallet's own purse."""
    return purse_account(wallet)


def valid_purses(card: Card, day: int) -> tuple[Purse, ...]:
    """Return the restricted purses that are still valid on a day, in order."""
    purses = card.purses
    if not purses or purses[0].valid_until >= day:
        return purses  # Sorted by expiry: the first says it for all.
    return tuple([purse for purse in purses if purse.valid_until >= day])


def accounts_shown(card: Card, day: int) -> list[int]:
    """Return the accounts whose balances the answer shows: the own purse first."""
    return [card.own_account, *[purse.account for purse in valid_purses(card, day)]]
