"""The ledger's host clock is stepped by ten minutes and back, as a bad time server does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from libs.bus import MemoryBus, Question, TopicSettings, ask
from libs.clock import SystemClock, day_number
from libs.contracts import topics
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerAnswer, LedgerCommand
from libs.fakes.clock import FixedClock
from libs.fakes.ledger import PARTITIONS, a_purchase, a_reference, a_reversal
from libs.observe import Health
from libs.outcome import Outcome
from libs.settings import PostgresSettings
from services.card_ledger.handlers.open_accounts import Opening
from services.card_ledger.main import open_books, serve, verify
from services.card_ledger.settings import LedgerKnobs, Settings

pytestmark = pytest.mark.postgres

MakeDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]
TEN_MINUTES_MS = 600_000
# Five minutes before midnight in Jayapura: a step forward is another booking day.
EVENING_MS = int(datetime(2026, 11, 24, 14, 55, tzinfo=UTC).timestamp() * 1000)
TODAY, TOMORROW = day_number(date(2026, 11, 24)), day_number(date(2026, 11, 25))
ANSWERS = "test.answers.v1"
WALLET = 1
BOUND_S = 20


class Ledger:
    """A ledger that is served, on a clock that the test turns."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.clock = FixedClock(EVENING_MS)
        self.health = Health()
        self.settings = Settings(
            postgres=PostgresSettings(dsn=SecretStr(dsn)),
            card_ledger=LedgerKnobs(partitions=PARTITIONS, lease_ms=1_000, days_back=4),
        )
        settings = TopicSettings(partitions=PARTITIONS)
        self.bus = MemoryBus(
            {
                topics.COMMANDS: settings,
                topics.ENTRIES: settings,
                topics.dead_letters(topics.COMMANDS): settings,
                ANSWERS: TopicSettings(partitions=1),
            },
            SystemClock(),
        )

    async def ask(self, command: LedgerCommand) -> LedgerAnswer:
        """Send a command and return its answer."""
        record = await ask(
            self.bus,
            SystemClock(),
            Question(
                topics.COMMANDS,
                WALLET % PARTITIONS,
                b"",
                command.SerializeToString(),
                topics.LEDGER_COMMAND,
            ),
            answer_topic=ANSWERS,
            answer_partition=0,
            timeout_ms=BOUND_S * 1_000,
        )
        return LedgerAnswer.FromString(record.value)

    async def buy(self, stan: int) -> LedgerAnswer:
        """Buy for Rp 1.00."""
        return await self.ask(a_purchase(a_reference(stan=stan, amount=100)))

    async def owners(self) -> tuple[set[int], set[str]]:
        """Return the epochs and the holders of all partitions."""
        connection = await asyncpg.connect(self.dsn)
        try:
            rows = await connection.fetch("SELECT epoch, holder FROM card_ledger.owner")
        finally:
            await connection.close()
        return {row["epoch"] for row in rows}, {row["holder"] for row in rows}


@pytest.fixture
async def ledger(make_database: MakeDatabase) -> AsyncIterator[Ledger]:
    """Give a ledger that serves one wallet."""
    found = Ledger(await make_database({"card_ledger": Path("services/card_ledger/migrations")}))
    await open_books(found.settings, found.clock, [Opening(WALLET, 0, 0, None, None, 100_000)])
    await found.bus.start()
    task = asyncio.create_task(
        serve(found.settings, bus=found.bus, clock=found.clock, health=found.health)
    )
    yield found
    task.cancel()
    await asyncio.wait({task})
    await found.bus.stop()


async def test_a_booking_day_never_goes_back(ledger: Ledger) -> None:
    """Over midnight and back again: the later day stays, every purchase is booked, books fit."""
    days = [(await ledger.buy(1)).booked_on]
    ledger.clock.jump_to(EVENING_MS + TEN_MINUTES_MS)
    days.append((await ledger.buy(2)).booked_on)
    ledger.clock.jump_to(EVENING_MS)
    days.append((await ledger.buy(3)).booked_on)
    ledger.clock.jump_to(EVENING_MS - TEN_MINUTES_MS)
    last = await ledger.buy(4)

    assert [TODAY, TOMORROW, TOMORROW, TOMORROW] == [*days, last.booked_on]
    assert (Outcome.APPROVED.number, 99_600) == (last.outcome, last.balances[0].amount_minor)
    assert (await verify(ledger.settings)).is_clean


async def test_leases_are_measured_by_the_database(ledger: Ledger) -> None:
    """Steps beyond any lease, both ways: the same process holds the same epoch and stays ready."""
    await ledger.buy(1)
    before = await ledger.owners()

    for step_ms in (TEN_MINUTES_MS, -TEN_MINUTES_MS, 0):
        ledger.clock.jump_to(EVENING_MS + step_ms)
        for stan in range(3):
            answer = await ledger.buy(1_000 + step_ms // 1_000 + stan)
            assert Outcome.APPROVED.number == answer.outcome
        await asyncio.sleep(0.4)  # More than a renewal; it passes while the clock is off.

    assert before == await ledger.owners()
    assert {} == ledger.health.problems()


async def test_a_repeat_and_a_reversal_work_across_steps(ledger: Ledger) -> None:
    """What was booked before a step is known after it, and goes back once."""
    first = await ledger.buy(1)
    ledger.clock.jump_to(EVENING_MS + TEN_MINUTES_MS)
    again = await ledger.buy(1)
    ledger.clock.jump_to(EVENING_MS - TEN_MINUTES_MS)
    back = await ledger.ask(a_reversal(a_reference(stan=1, amount=100)))

    assert (first.transfer, True) == (again.transfer, again.is_replay)
    assert (Outcome.APPROVED.number, 100_000) == (back.outcome, back.balances[0].amount_minor)
    assert (await verify(ledger.settings)).is_clean
