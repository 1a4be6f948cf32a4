"""Tell what moved in a wallet, beside the loop that posts: nobody's purchase waits for a reader."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from libs.bus import Publisher
from libs.bus.port import Outgoing
from libs.contracts import topics
from libs.contracts.envelope import next_envelope
from libs.outcome import Fault
from services.card_ledger.domain.command import MovementsAsked
from services.card_ledger.domain.movement import Movements, Period, period_of
from services.card_ledger.handlers.asked import Asked
from services.card_ledger.handlers.records import write_movements

WAITING_MAX = 200
"""More questions than this are dropped: who hears nothing asks again."""

log = structlog.get_logger("card_ledger")


class ReadsMovements(Protocol):
    """The books, as far as a wallet's movements are read."""

    async def read_movements(self, period: Period) -> Movements:
        """Return one page as of one moment, from committed rows alone."""


class TellMovements:
    """Answers questions one by one, each of them after the batch that carried it was committed.

    That batch passed the fence, so the asker hears nothing from an owner that was replaced. An
    answer that cannot be given is none: nothing depends on it, and the asker asks again.
    """

    def __init__(self, books: ReadsMovements, bus: Publisher, *, send_timeout_ms: int) -> None:
        self._books = books
        self._bus = bus
        self._send_timeout_ms = send_timeout_ms
        self._waiting: asyncio.Queue[Asked] = asyncio.Queue(WAITING_MAX)

    def ask(self, questions: Sequence[Asked]) -> None:
        """Take questions of a committed batch; those of nobody who waits are left out."""
        for one in questions:
            if not one.envelope.answer_topic:
                continue
            if self._waiting.full():
                log.warning("movements_not_told", reason="too many questions wait")
                return
            self._waiting.put_nowait(one)

    @property
    def waiting(self) -> int:
        """How many questions wait."""
        return self._waiting.qsize()

    async def keep(self) -> None:
        """Answer until cancelled."""
        while True:
            await self.answer_next()

    async def answer_next(self) -> None:
        """Answer the next question, waiting for one."""
        question = await self._waiting.get()
        try:
            await self._bus.publish([await self._told(question)], timeout_ms=self._send_timeout_ms)
        except Fault as fault:
            log.warning("movements_not_told", reason=str(fault))

    async def _told(self, question: Asked) -> Outgoing:
        command, envelope = question.command, question.envelope
        asked = command.body
        assert isinstance(asked, MovementsAsked)
        page = await self._books.read_movements(
            period_of(command.wallet, asked.first_day, asked.last_day, asked.after, asked.rows_max)
        )
        return Outgoing(
            envelope.answer_topic,
            envelope.answer_partition,
            envelope.correlation_id,
            write_movements(command.wallet, page, envelope.correlation_id),
            next_envelope(envelope, schema=topics.WALLET_MOVEMENTS).SerializeToString(),
        )
