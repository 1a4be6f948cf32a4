"""What the handlers need from the world. Adapters fit these shapes; nobody inherits."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from libs.registry.entities import Outlet, Product, Programme, Terminal
from services.authorization.domain.card import Card


class Cards(Protocol):
    """Cards with the purses of their wallets."""

    async def read_cards(self, tokens: Sequence[bytes]) -> Mapping[bytes, Card]:
        """Return those that exist, in one round trip; raises StoreUnavailable."""

    async def read_cards_after(self, card_id: int, cards_max: int) -> Mapping[bytes, Card]:
        """Return the next cards by id behind this one; empty at the end."""


class Registry(Protocol):
    """What admin published, as it is known now."""

    def terminal(self, code: str) -> Terminal | None:
        """Return the terminal, whatever its status."""

    def outlet(self, code: str) -> Outlet | None:
        """Return the outlet, whatever its status."""

    def product(self, code: str, day: int) -> Product | None:
        """Return the parameters in force on a day (since 1970-01-01)."""

    def programme(self, number: int) -> Programme | None:
        """Return the programme, whatever its status."""

    def is_current(self, now_ms: int) -> bool:
        """Tell whether it was read to its end within the last 5 s."""
