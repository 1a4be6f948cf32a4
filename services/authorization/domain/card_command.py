"""Commands about cards, what they may do, and what their asker hears. Pure."""

from collections.abc import Collection
from enum import IntEnum
from typing import NamedTuple

from services.authorization.domain.card import CardStatus


class CardResult(IntEnum):
    """What became of a command; the numbers are those of the records."""

    FAILED = 0  # It cannot be handled at all; nothing has changed.
    DONE = 1
    UNKNOWN_CARD = 2
    WRONG_STATUS = 3


class NewCard(NamedTuple):
    """A card to make, with the ceiling of the own purse that its new wallet gets."""

    token: bytes
    sealed_pan: bytes
    masked: str
    product: str
    expiry: str  # YYMM.
    ceiling: int  # Minor units; 0: none.


class ImportCards(NamedTuple):
    """Make cards, inactive; those that exist stay as they are."""

    cards: tuple[NewCard, ...]


class SetStatus(NamedTuple):
    """Bring a card into a state, out of one of these only."""

    token: bytes
    wanted: CardStatus
    out_of: Collection[CardStatus]


class ShowCard(NamedTuple):
    """Tell what a card is."""

    token: bytes


class CardCommand(NamedTuple):
    """One command; its id is the same however often it comes."""

    id: bytes
    body: ImportCards | SetStatus | ShowCard


class CardFound(NamedTuple):
    """A card as a command finds it."""

    token: bytes
    card_id: int
    wallet: int
    product: str
    status: CardStatus
    expiry: str
    masked: str


class CardAnswer(NamedTuple):
    """What the asker hears."""

    result: CardResult
    card: CardFound | None = None
    created: int = 0
    known: int = 0


def decide_status(change: SetStatus, status: CardStatus) -> tuple[CardResult, CardStatus]:
    """Return what becomes of a card that is in ``status``; in the wanted one it is a repeat."""
    if status is change.wanted:
        return CardResult.DONE, status
    if status not in change.out_of:
        return CardResult.WRONG_STATUS, status
    return CardResult.DONE, change.wanted
