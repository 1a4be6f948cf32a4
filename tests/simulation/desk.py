"""Admin's outbox and authorization's desk in memory, as the world's one database keeps them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from libs.fakes.outbox import MemoryOutbox
from services.admin.ports import Answered, OpenCommand
from services.authorization.domain.card import CardStatus
from services.authorization.domain.card_command import CardFound
from tests.simulation.database import Database, SimulatedCards
from tests.simulation.faults import Kind


class Action(StrEnum):
    """What an operator may want."""

    BLOCK = "block"
    UNBLOCK = "unblock"
    CREDIT = "credit"
    DEBIT = "debit"


@dataclass(slots=True, kw_only=True)
class Asked:
    """One command as its operator remembers it; moments of the world's clock."""

    id: bytes
    action: Action
    wallet: int
    asked_s: float
    closed_s: float | None = None
    answer: bytes = b""
    key: bytes = b""  # Of an adjustment.
    amount_minor: int = 0


class Outbox(MemoryOutbox):
    """Admin's table of commands, in the world's database."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self.asked: dict[bytes, Asked] = {}

    async def open_commands(self, *, rows_max: int) -> Sequence[OpenCommand]:
        """Return the oldest open ones."""
        await self._database.call()
        return await super().open_commands(rows_max=rows_max)

    async def close(self, answers: Sequence[Answered]) -> Sequence[bytes]:
        """Close what is open; the answer of the COMMIT may be lost."""
        await self._database.call()
        closed = await super().close(answers)
        said = {one.id: one.answer for one in answers}
        for command in closed:
            asked = self.asked[command]
            asked.closed_s, asked.answer = asyncio.get_running_loop().time(), said[command]
        self._database.sound(Kind.COMMIT_UNKNOWN)
        return closed


class CardDesk:
    """Authorization's cards as commands change them: a transaction is all, nothing, or unknown."""

    def __init__(self, database: Database, cards: SimulatedCards) -> None:
        self._database = database
        self._cards = cards
        self._done: dict[bytes, bytes] = {}

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["_CardWork"]:
        """Open a transaction."""
        await self._database.call()
        work = _CardWork(self._cards, self._done)
        yield work
        await self._database.call()
        work.commit()
        self._database.sound(Kind.COMMIT_UNKNOWN)


class _CardWork:
    """What a transaction has seen and will write."""

    def __init__(self, cards: SimulatedCards, done: dict[bytes, bytes]) -> None:
        self._cards = cards
        self._done = done
        self._answers: dict[bytes, bytes] = {}
        self._statuses: dict[int, CardStatus] = {}

    async def recall(self, command_id: bytes, *, now_ms: int) -> bytes | None:
        """Return the answer of a command that was carried out."""
        return self._done.get(command_id)

    async def remember(self, command_id: bytes, answer: bytes) -> None:
        """Keep an answer."""
        self._answers[command_id] = answer

    async def find_card(self, token: bytes, *, is_changed: bool = False) -> CardFound | None:
        """Return a card."""
        card = self._cards.cards.get(token)
        if card is None:
            return None
        return CardFound(
            token, card.card_id, card.wallet, card.product, card.status, card.expiry, ""
        )

    async def set_status(self, card_id: int, status: CardStatus) -> None:
        """Write a status."""
        self._statuses[card_id] = status

    async def add_cards(self, cards: Sequence[object]) -> int:
        """Nobody imports cards here."""
        raise NotImplementedError

    async def find_wallets(self, tokens: Sequence[bytes]) -> Mapping[bytes, int]:
        """Nobody imports cards here."""
        raise NotImplementedError

    def commit(self) -> None:
        """Write all of it."""
        self._done |= self._answers
        for token, card in self._cards.cards.items():
            if card.card_id in self._statuses:
                self._cards.cards[token] = card._replace(status=self._statuses[card.card_id])
