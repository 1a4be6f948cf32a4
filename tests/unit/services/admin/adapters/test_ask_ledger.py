"""A question to the ledger: to the wallet's partition, answered to whoever asked, or silence."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from libs.bus import MemoryBus, Record, TopicSettings
from libs.clock import SystemClock
from libs.contracts.envelope import read_envelope
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand, WalletMovements
from libs.contracts.topics import ADMIN_ANSWERS, COMMANDS, LEDGER_ANSWER, WALLET_MOVEMENTS
from services.admin.adapters.ask_ledger import AskLedger, LedgerSilent
from services.admin.handlers.await_answers import AwaitAnswers

PARTITIONS, INSTANCE, WALLET = 8, 3, 13


@pytest.fixture
async def bus() -> AsyncIterator[MemoryBus]:
    """A bus with the ledger's commands."""
    opened = MemoryBus({COMMANDS: TopicSettings(partitions=PARTITIONS)}, SystemClock())
    await opened.start()
    yield opened
    await opened.stop()


def an_asker(bus: MemoryBus, answers: AwaitAnswers, *, timeout_ms: int) -> AskLedger:
    """Admin's third instance."""
    return AskLedger(
        bus,
        answers,
        SystemClock(),
        partitions=PARTITIONS,
        instance=INSTANCE,
        timeout_ms=timeout_ms,
    )


async def asked(bus: MemoryBus) -> Record:
    """The next question on the wallet's partition."""
    partition = WALLET % PARTITIONS
    reader = await bus.open_reader(COMMANDS, starts={partition: None})
    taken = await reader.take(wait_ms=5_000, records_max=1)
    await reader.close()
    return taken[partition][0]


class TestAskLedger:
    async def test_asks_and_hears(self, bus: MemoryBus) -> None:
        """The wallet's period and page; the answer comes under the question's correlation id."""
        answers = AwaitAnswers()
        ledger = an_asker(bus, answers, timeout_ms=20_000)
        asking = asyncio.create_task(ledger.movements(WALLET, first_day=5, last_day=9, after=77))
        question = await asked(bus)
        command, envelope = (
            LedgerCommand.FromString(question.value),
            read_envelope(question.envelope),
        )
        told = WalletMovements(wallet=WALLET, has_more=True)
        assert not answers.deliver(envelope.correlation_id, LEDGER_ANSWER, b"")
        assert answers.deliver(envelope.correlation_id, WALLET_MOVEMENTS, told.SerializeToString())

        assert told == await asking
        assert (WALLET, 5, 9, 77) == (
            command.wallet,
            command.movements.first_day,
            command.movements.last_day,
            command.movements.after,
        )
        assert (ADMIN_ANSWERS, INSTANCE) == (envelope.answer_topic, envelope.answer_partition)

    async def test_gives_up_in_time(self, bus: MemoryBus) -> None:
        """A ledger that is away is a fault that may pass; nobody waits for its answer any more."""
        answers = AwaitAnswers()
        with pytest.raises(LedgerSilent) as silent:
            await an_asker(bus, answers, timeout_ms=20).movements(
                WALLET, first_day=5, last_day=9, after=0
            )
        question = await asked(bus)
        correlation = read_envelope(question.envelope).correlation_id

        assert silent.value.retriable
        assert not answers.deliver(correlation, WALLET_MOVEMENTS, b"")
