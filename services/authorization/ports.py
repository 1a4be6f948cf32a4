"""What the handlers need from the world. Adapters fit these shapes; nobody inherits."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from libs.registry.entities import Outlet, Product, Programme, Terminal
from services.authorization.domain.card import Card, CardStatus
from services.authorization.domain.card_command import CardFound, NewCard


class Cards(Protocol):
    """Cards with the purses of their wallets."""

    async def read_cards(self, tokens: Sequence[bytes]) -> Mapping[bytes, Card]:
        """Return those that exist, in one round trip; raises StoreUnavailable."""

    async def read_cards_after(self, card_id: int, cards_max: int) -> Mapping[bytes, Card]:
        """Return the next cards by id behind this one; empty at the end."""


class CardWork(Protocol):
    """One transaction that carries out a command about cards."""

    async def recall(self, command_id: bytes, *, now_ms: int) -> bytes | None:
        """Return the answer of a command that was carried out; None: it is ours to do now.

        Whoever carries it out at the same time waits here. Ours must end with ``remember``.
        """

    async def remember(self, command_id: bytes, answer: bytes) -> None:
        """Keep the answer of the command that was begun."""

    async def find_card(self, token: bytes, *, is_changed: bool = False) -> CardFound | None:
        """Return a card; with ``is_changed`` nobody else changes it until the end."""

    async def set_status(self, card_id: int, status: CardStatus) -> None:
        """Write the status of a card."""

    async def add_cards(self, cards: Sequence[NewCard]) -> int:
        """Write those whose tokens are not there, inactive, each with a new wallet of its own.

        Returns how many were written.
        """

    async def find_wallets(self, tokens: Sequence[bytes]) -> Mapping[bytes, int]:
        """Return the wallets of these cards."""


class CardDesk(Protocol):
    """Where commands about cards are carried out."""

    def begin(self) -> AbstractAsyncContextManager[CardWork]:
        """Open a transaction: a clean exit commits, an exception rolls back.

        Raises StoreUnavailable; CommitUnknown where the answer of the COMMIT was lost.
        """


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
        """Tell whether it was read to its end within the last 5 s (Clock.monotonic_ms)."""
