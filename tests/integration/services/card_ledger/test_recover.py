"""Restored books: they are not served while entries go further, and are recovered from these."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from pydantic import SecretStr

from libs.bus import MemoryBus, Outgoing, Question, Record, TopicSettings, ask
from libs.clock import SystemClock
from libs.contracts import topics
from libs.contracts.accounts import purse_account
from libs.contracts.lesko.v1.card_ledger_pb2 import (
    AccountTerms,
    LedgerAnswer,
    LedgerCommand,
    LedgerEntries,
    OpenAccounts,
)
from libs.fakes.clock import FixedClock
from libs.fakes.ledger import PARTITIONS, TODAY, a_purchase, a_reference, a_reversal
from libs.observe import Health
from libs.outcome import Outcome
from libs.settings import PostgresSettings
from services.card_ledger.handlers.open_accounts import Opening
from services.card_ledger.handlers.recover_books import Recovered, RecoveryRefused
from services.card_ledger.main import open_books, recover, serve, verify
from services.card_ledger.settings import LedgerKnobs, Settings

pytestmark = pytest.mark.postgres

MakeDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]
NOON_MS = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)
ANSWERS = "test.answers.v1"
WALLET, OTHER, LATER = 1, 2, 5
PARTITION = WALLET % PARTITIONS
BOUND_S = 20
BEHIND = "run lesko ledger recover"
TABLES = ("batch", "transfer", "once", "account")


class Books:
    """One database, served or not, in front of a bus that outlives it."""

    def __init__(self, dsn: str, bus: MemoryBus) -> None:
        self.dsn = dsn
        self.bus = bus
        self.clock = FixedClock(NOON_MS)
        self.health = Health()
        self.settings = Settings(
            postgres=PostgresSettings(dsn=SecretStr(dsn)),
            card_ledger=LedgerKnobs(partitions=PARTITIONS, lease_ms=1_000, days_back=4),
        )

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Serve for the block."""
        task = asyncio.create_task(
            serve(self.settings, bus=self.bus, clock=self.clock, health=self.health)
        )
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def ask(self, command: LedgerCommand) -> LedgerAnswer:
        """Send a command and return its answer."""
        question = Question(
            topics.COMMANDS,
            command.wallet % PARTITIONS,
            b"",
            command.SerializeToString(),
            topics.LEDGER_COMMAND,
        )
        record = await ask(
            self.bus,
            SystemClock(),
            question,
            answer_topic=ANSWERS,
            answer_partition=0,
            timeout_ms=BOUND_S * 1_000,
        )
        return LedgerAnswer.FromString(record.value)

    async def buy(self, stan: int, wallet: int = WALLET) -> LedgerAnswer:
        """Buy for Rp 1.00."""
        reference = a_reference(stan=stan, amount=100, wallet=wallet)
        return await self.ask(a_purchase(reference, wallet=wallet))

    async def rows(self) -> dict[str, list[asyncpg.Record]]:
        """Return the content of all tables but the owner rows."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return {
                table: await connection.fetch(f"SELECT * FROM card_ledger.{table} ORDER BY 1, 2")
                for table in TABLES
            }
        finally:
            await connection.close()

    async def owners(self) -> list[tuple[int, int, bytes, int, int]]:
        """Return where each partition stands, with its incarnation."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return [
                tuple(row)
                for row in await connection.fetch(
                    "SELECT partition, batch_no, head, serial, incarnation"
                    " FROM card_ledger.owner ORDER BY 1"
                )
            ]
        finally:
            await connection.close()

    async def recover(self) -> Recovered:
        """Recover as the command does."""
        return await recover(self.settings, self.bus, TODAY, lambda _: None)


async def entries_of(bus: MemoryBus) -> list[Record]:
    """Return all records of entries, by partition and in order."""
    bounds = await bus.bounds(topics.ENTRIES)
    reader = await bus.open_reader(topics.ENTRIES, starts=dict.fromkeys(bounds))
    found: list[Record] = []
    while len(found) < sum(end - first for first, end in bounds.values()):
        for records in (await reader.take(wait_ms=1_000, records_max=1_000)).values():
            found.extend(records)
    await reader.close()
    return sorted(found, key=lambda record: (record.partition, record.offset))


async def a_bus(entries: Sequence[Record] = ()) -> MemoryBus:
    """Return a bus of its own with these entries on it."""
    settings = TopicSettings(partitions=PARTITIONS)
    bus = MemoryBus(
        {
            topics.COMMANDS: settings,
            topics.ENTRIES: settings,
            topics.dead_letters(topics.COMMANDS): settings,
            ANSWERS: TopicSettings(partitions=1),
        },
        SystemClock(),
    )
    await bus.start()
    await bus.publish(
        [Outgoing(one.topic, one.partition, one.key, one.value, one.envelope) for one in entries],
        timeout_ms=1_000,
    )
    return bus


class Story:
    """What was lost, what was restored, and the bus that knows of both."""

    def __init__(self, lost: Books, restored: Books) -> None:
        self.lost = lost
        self.restored = restored


@pytest.fixture
async def story(make_database: MakeDatabase, postgres_server) -> AsyncIterator[Story]:  # type: ignore[no-untyped-def] # noqa: ANN001 -- the fixture of the root conftest
    """Back the books up, go on with them, and lose them."""
    bus = await a_bus()
    lost = Books(await make_database({"card_ledger": Path("services/card_ledger/migrations")}), bus)
    openings = [Opening(wallet, 0, 0, None, None, 100_000) for wallet in (WALLET, OTHER)]
    await open_books(lost.settings, lost.clock, openings)
    async with lost.served():
        await lost.buy(1)
    copy = await postgres_server._copy(urlsplit(lost.dsn).path[1:])
    async with lost.served():
        await lost.ask(
            LedgerCommand(
                wallet=LATER,
                open_accounts=OpenAccounts(
                    accounts=[AccountTerms(number=purse_account(LATER), ceiling_minor=777)]
                ),
            )
        )
        for stan in range(2, 6):
            await lost.buy(stan)
        await lost.buy(6, OTHER)
        await lost.ask(a_reversal(a_reference(stan=3, amount=100)))
        await lost.buy(7, LATER)  # Refused: it holds nothing.
    yield Story(lost, Books(postgres_server.dsn_of(copy), bus))
    await postgres_server.drop(copy)
    await bus.stop()


async def test_does_not_serve_books_that_are_behind(story: Story) -> None:
    """It says which batch is missing and what to run, takes no money, and serves afterwards."""
    books = story.restored
    async with books.served():
        async with asyncio.timeout(BOUND_S):
            while BEHIND not in str(books.health.problems()):  # noqa: ASYNC110 -- its own pace
                await asyncio.sleep(0.02)
        assert f"of partition {PARTITION}" in books.health.problems()["card_ledger.leases"]
        before = await books.owners()

        await books.recover()  # It gets the leases, although the ledger looks now and then.
        answer = await books.buy(8)

    assert before != await books.owners()
    assert (Outcome.APPROVED.number, False) == (answer.outcome, answer.is_replay)


async def test_serves_books_that_entries_do_not_pass(story: Story) -> None:
    """The same database that wrote the entries starts as ever."""
    async with story.lost.served():
        assert Outcome.APPROVED.number == (await story.lost.buy(8)).outcome


@pytest.mark.parametrize(("batch_no", "times"), [(2, 100), (1, 300)])
async def test_finds_what_was_lost_before_entries_that_were_sent_again(
    story: Story, batch_no: int, times: int
) -> None:
    """A reader had old batches sent again: the topic ends with none that is newer than ours."""
    [first, *_] = [one for one in await entries_of(story.lost.bus) if one.partition == PARTITION]
    entries = LedgerEntries.FromString(first.value)
    entries.batch_no = batch_no
    again = Outgoing(
        first.topic, first.partition, first.key, entries.SerializeToString(), first.envelope
    )
    await story.lost.bus.publish([again] * times, timeout_ms=1_000)

    async with story.restored.served():
        async with asyncio.timeout(BOUND_S):
            while BEHIND not in str(story.restored.health.problems()):  # noqa: ASYNC110 -- its own pace
                await asyncio.sleep(0.02)
        problem = story.restored.health.problems()["card_ledger.leases"]

    assert f"of partition {PARTITION}" in problem


async def test_is_another_incarnation_where_nothing_can_be_replayed(story: Story) -> None:
    """Without a bus, too, what these books write next is told apart from what was lost."""
    done = await recover(story.restored.settings, None, TODAY, lambda _: None)

    assert (0, 2) == (done.batches, done.incarnation)
    assert {2} == {incarnation for *_, incarnation in await story.restored.owners()}


async def test_brings_back_every_row_as_it_was(story: Story) -> None:
    """All tables are what they were when they were lost; only the incarnation is another one."""
    lost, restored = story.lost, story.restored
    expected, owners = await lost.rows(), await lost.owners()
    missing = len(expected["batch"]) - len((await restored.rows())["batch"])

    done = await restored.recover()
    report = await verify(restored.settings)

    assert (missing, (), 2) == (done.batches, done.without_terms, done.incarnation)
    assert 1 == done.opened
    found = await restored.rows()
    for table in ("batch", "transfer", "once"):
        assert expected[table] == found[table], table
    # Shards are opened by the projection, which the lost books were not done with.
    assert {tuple(row)[:5] for row in expected["account"]} <= {
        tuple(row)[:5] for row in found["account"]
    }
    assert [(*row[:4], 2) for row in owners] == await restored.owners()
    assert report.is_clean, report.findings


async def test_answers_as_before_and_goes_on(story: Story) -> None:
    """A repeat hears the first answer, what was reversed stays so, new purchases work."""
    first = await repeated(story.lost, 4)

    await story.restored.recover()
    again = await repeated(story.restored, 4)
    reversed_ = await repeated(story.restored, 3)
    async with story.restored.served():
        fresh = await story.restored.buy(9)

    assert (first.transfer, first.rrn, first.approval_code) == (
        again.transfer,
        again.rrn,
        again.approval_code,
    )
    # Stan 4 answered with the balance then; 9 took Rp 1.00 more.
    assert 100 == again.balances[0].amount_minor - fresh.balances[0].amount_minor
    assert Outcome.APPROVED.number == fresh.outcome
    assert Outcome.APPROVED.number != reversed_.outcome


async def repeated(books: Books, stan: int) -> LedgerAnswer:
    """Ask again for what was asked once."""
    async with books.served():
        return await books.buy(stan)


async def test_changes_nothing_the_second_time(story: Story) -> None:
    """Nothing is missing then, and the incarnation stays."""
    await story.restored.recover()
    before, owners = await story.restored.rows(), await story.restored.owners()

    done = await story.restored.recover()

    assert (0, 2) == (done.batches, done.incarnation)
    assert (before, owners) == (await story.restored.rows(), await story.restored.owners())


async def test_goes_on_where_a_killed_run_ended(story: Story) -> None:
    """A run that saw half of the entries leaves books that the next one completes."""
    entries = await entries_of(story.lost.bus)
    halves = [one for one in entries if batch_of(one) <= 3]
    whole, story.restored.bus = story.restored.bus, await a_bus(halves)
    await story.restored.recover()

    story.restored.bus = whole
    await story.restored.recover()

    assert (await story.lost.rows())["transfer"] == (await story.restored.rows())["transfer"]
    assert (await verify(story.restored.settings)).is_clean


async def test_takes_entries_twice_and_out_of_order(story: Story) -> None:
    """Batches that were sent again, before or behind their place, change nothing."""
    entries = await entries_of(story.lost.bus)
    story.restored.bus = await a_bus([*reversed(entries), *entries])

    await story.restored.recover()

    assert (await story.lost.rows())["transfer"] == (await story.restored.rows())["transfer"]


def batch_of(record: Record) -> int:
    """Return a record's batch number."""
    return LedgerEntries.FromString(record.value).batch_no


async def refusal(story: Story, entries: Sequence[Record]) -> str:
    """Recover from these entries and return why it was refused."""
    story.restored.bus = await a_bus(entries)
    with pytest.raises(RecoveryRefused) as refused:
        await story.restored.recover()
    return str(refused.value)


async def test_refuses_a_gap(story: Story) -> None:
    """A batch that nobody published is named with its partition; what is before it is in."""
    entries = await entries_of(story.lost.bus)
    missing = next(one for one in entries if (one.partition, batch_of(one)) == (PARTITION, 5))

    said = await refusal(story, [one for one in entries if one is not missing])

    assert f"partition {PARTITION}: batch 5 is missing" in said
    assert 4 == next(no for number, no, *_ in await story.restored.owners() if number == PARTITION)
    assert (await verify(story.restored.settings)).is_clean


async def test_refuses_a_changed_entry(story: Story) -> None:
    """An amount that somebody changed on the way does not fit its hash."""
    entries = await entries_of(story.lost.bus)
    index, record = next(
        (index, one)
        for index, one in enumerate(entries)
        if (one.partition, batch_of(one)) == (PARTITION, 4)
    )
    changed = LedgerEntries.FromString(record.value)
    changed.transfers[0].amount_minor += 1
    entries[index] = record._replace(value=changed.SerializeToString())

    assert f"partition {PARTITION} batch 4 is not what its hash says" in await refusal(
        story, entries
    )


async def test_refuses_a_fork(story: Story) -> None:
    """Entries of books that went another way after the backup are not mixed in."""
    entries = await entries_of(story.lost.bus)
    await story.restored.recover()
    other = await a_bus()
    story.restored.bus = other
    async with story.restored.served():
        await story.restored.buy(20)
    async with story.lost.served():
        await story.lost.buy(21)
    lost = await entries_of(story.lost.bus)

    said = await refusal(story, lost)

    assert len(lost) > len(entries)
    assert f"partition {PARTITION} batch" in said
    assert "fork" in said


async def test_gives_no_purse_back_without_a_floor(story: Story) -> None:
    """A purse whose opening nobody knows any more has a floor of zero and is named."""
    entries = await entries_of(story.lost.bus)
    story.restored.bus = await a_bus(entries)

    done = await story.restored.recover()
    floors = {
        row["number"]: (row["floor"], row["ceiling"])
        for row in (await story.restored.rows())["account"]
    }

    assert (purse_account(LATER),) == done.without_terms
    assert (0, None) == floors[purse_account(LATER)]
