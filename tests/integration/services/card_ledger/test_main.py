"""The ledger as it is served: leases, the position in its topic, and logs that lost something."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from libs.bus import (
    BusUnavailable,
    LogGap,
    MemoryBus,
    Outgoing,
    Question,
    TopicInfo,
    TopicSettings,
    ask,
)
from libs.clock import SystemClock
from libs.contracts import topics
from libs.contracts.envelope import first_envelope
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerAnswer, LedgerCommand
from libs.fakes.clock import FixedClock
from libs.fakes.ledger import PARTITIONS, a_purchase, a_reference
from libs.observe import Health
from libs.outcome import Outcome
from libs.settings import PostgresSettings
from services.card_ledger.handlers.fix_partitions import PartitionsDiffer
from services.card_ledger.handlers.open_accounts import Opening
from services.card_ledger.main import open_books, serve
from services.card_ledger.settings import LedgerKnobs, Settings

pytestmark = pytest.mark.postgres

MakeDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]
NOON_MS = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)
ANSWERS = "test.answers.v1"
OUT_OF_REACH = "no broker answers"
WALLET = 1
PARTITION = WALLET % PARTITIONS


class Books:
    """A database with one wallet, and a bus in front of it."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.clock = FixedClock(NOON_MS)
        self.health = Health()
        self.settings = Settings(
            postgres=PostgresSettings(dsn=SecretStr(dsn)),
            card_ledger=LedgerKnobs(partitions=PARTITIONS, lease_ms=1_000, days_back=4),
        )
        self.bus = a_bus(PARTITIONS)

    @asynccontextmanager
    async def served(self) -> AsyncIterator["asyncio.Task[None]"]:
        """Serve for the block."""
        task = asyncio.create_task(
            serve(self.settings, bus=self.bus, clock=self.clock, health=self.health)
        )
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def buy(self, stan: int) -> LedgerAnswer:
        """Ask for one purchase over the bus."""
        command = a_purchase(a_reference(stan=stan, amount=100))
        record = await ask(
            self.bus,
            SystemClock(),
            Question(
                topics.COMMANDS, PARTITION, b"", command.SerializeToString(), topics.LEDGER_COMMAND
            ),
            answer_topic=ANSWERS,
            answer_partition=0,
            timeout_ms=20_000,
        )
        return LedgerAnswer.FromString(record.value)

    async def tell(self, sql: str, *args: object) -> None:
        """Change the database by hand."""
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(sql, *args)
        finally:
            await connection.close()

    async def claim_position(self, offset: int) -> None:
        """Write a position in the wallet's partition of the topic as it is now."""
        topic = await self.bus.topic(topics.COMMANDS)
        await self.tell(
            "UPDATE card_ledger.owner SET topic_id = $1, source_offset = $2 WHERE partition = $3",
            topic.id,
            offset,
            PARTITION,
        )

    async def position(self) -> int:
        """Return the stored position of the wallet's partition."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return int(
                await connection.fetchval(
                    "SELECT source_offset FROM card_ledger.owner WHERE partition = $1", PARTITION
                )
            )
        finally:
            await connection.close()


class SeverableBus(MemoryBus):
    """A bus that a process may lose sight of."""

    is_severed = False

    async def topic(self, name: str) -> TopicInfo:
        """Fail while severed."""
        if self.is_severed:
            raise BusUnavailable(OUT_OF_REACH)
        return await super().topic(name)


def a_bus(partitions: int) -> SeverableBus:
    """Return a bus with the ledger's topics."""
    settings = TopicSettings(partitions=partitions)
    return SeverableBus(
        {
            topics.COMMANDS: settings,
            topics.ENTRIES: settings,
            topics.dead_letters(topics.COMMANDS): settings,
            ANSWERS: TopicSettings(partitions=1),
        },
        SystemClock(),
    )


@pytest.fixture
async def books(make_database: MakeDatabase) -> AsyncIterator[Books]:
    """Give books with one wallet at noon of 24 November 2026 in Jayapura."""
    books = Books(await make_database({"card_ledger": Path("services/card_ledger/migrations")}))
    opening = Opening(WALLET, 0, 0, None, None, 100_000)
    await open_books(books.settings, books.clock, [opening])
    await books.bus.start()
    yield books
    await books.bus.stop()


async def test_goes_on_where_the_log_lost_its_tail(books: Books) -> None:
    """A position behind the end of the log is given up, also in the tables; the books stay."""
    await books.claim_position(5_000)
    async with books.served():
        assert Outcome.APPROVED.number == (await books.buy(1)).outcome  # Came before we looked.
        assert Outcome.APPROVED.number == (await books.buy(2)).outcome
        replayed = await books.buy(1)
    assert replayed.is_replay
    # The second batch stored the first one's offset: the position counts from the new end.
    assert 0 <= await books.position() < 5_000


async def test_starts_over_on_another_log(books: Books) -> None:
    """A position in a log with another id says nothing: reading begins at the earliest record."""
    await books.claim_position(1_000)
    await books.bus.stop()
    books.bus = a_bus(PARTITIONS)
    await books.bus.start()
    async with books.served():
        assert Outcome.APPROVED.number == (await books.buy(1)).outcome


async def test_does_not_skip_a_gap(books: Books) -> None:
    """A log that begins after our position is a fault that names what is missing."""
    nothing = LedgerCommand(wallet=WALLET).SerializeToString()
    filler = Outgoing(topics.COMMANDS, PARTITION, b"", nothing * 100_000, b"")
    for _ in range(20):  # More than a memory log keeps for nobody.
        await books.bus.publish([filler], timeout_ms=1_000)
    await books.claim_position(0)
    async with books.served() as serving:
        with pytest.raises(ExceptionGroup) as caught:
            await asyncio.wait_for(asyncio.shield(serving), 20)
    found = caught.value.subgroup(LogGap)
    assert found is not None
    assert f"partition {PARTITION} of {topics.COMMANDS} lacks offsets 1 to" in repr(found)


async def test_gives_its_leases_back_when_it_cannot_reach_the_bus(books: Books) -> None:
    """Another process gets them meanwhile; we say why we wait, and serve again afterwards."""
    async with books.served():
        assert Outcome.APPROVED.number == (await books.buy(1)).outcome
        books.bus.is_severed = True
        async with asyncio.timeout(20):
            while books.health.problems().get("card_ledger.leases") != OUT_OF_REACH:
                books.clock.advance(100)
                await asyncio.sleep(0.01)
        # It takes the leases, which raises LeaseHeld while anybody has one.
        await open_books(books.settings, books.clock, [])

        books.bus.is_severed = False
        assert Outcome.APPROVED.number == (await books.buy(2)).outcome
        assert "card_ledger.leases" not in books.health.problems()


async def test_holds_nobody_up_for_what_cannot_be_answered(books: Books) -> None:
    """An answer without a place and a record that is no command: the partition goes on."""
    lost = a_purchase(a_reference(stan=1, amount=100)).SerializeToString()
    nowhere = first_envelope(
        schema=topics.LEDGER_COMMAND, answer_topic=ANSWERS, answer_partition=7, deadline_ms=0
    ).SerializeToString()
    async with books.served():
        for value, envelope in ((lost, nowhere), (b"\xff\xff", nowhere)):
            await books.bus.publish(
                [Outgoing(topics.COMMANDS, PARTITION, b"", value, envelope)], timeout_ms=1_000
            )

        assert Outcome.APPROVED.number == (await books.buy(2)).outcome
        assert (await books.buy(1)).is_replay  # Booked, although its asker heard nothing.


async def test_refuses_a_topic_that_counts_otherwise(books: Books) -> None:
    """Whoever counts partitions otherwise would write a wallet's commands to two places."""
    await books.bus.stop()
    books.bus = a_bus(PARTITIONS + 1)
    await books.bus.start()
    async with books.served() as serving:
        with pytest.raises(PartitionsDiffer, match=f"have {PARTITIONS} partitions"):
            await asyncio.wait_for(asyncio.shield(serving), 20)
