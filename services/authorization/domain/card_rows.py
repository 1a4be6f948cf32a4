"""Cards and purses as they are written into the tables, and as people may see them."""

from datetime import date
from typing import NamedTuple

from services.authorization.domain.card import CardStatus


class CardRow(NamedTuple):
    """A card to write."""

    card_id: int
    token: bytes
    sealed_pan: bytes
    masked: str  # First six, stars, last four.
    wallet: int
    product: str
    status: CardStatus
    expiry: str  # YYMM.
    pin_verifier: bytes | None = None


class PurseRow(NamedTuple):
    """A restricted purse of a wallet."""

    wallet: int
    number: int  # 1..5.
    programme: int
    valid_until: date


class CardShown(NamedTuple):
    """A card as people may see it."""

    card_id: int
    masked: str
    wallet: int
    product: str
    status: CardStatus
    expiry: str
    pin_tries: int
    has_pin: bool
    purses: tuple[PurseRow, ...]  # In the order in which they pay.
