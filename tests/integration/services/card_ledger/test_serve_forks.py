"""The ledger as it serves, when its memory and the tables disagree."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from libs.bus.memory import MemoryBus
from libs.bus.port import Outgoing, Reader
from libs.bus.topics import load_topics, with_partitions
from libs.contracts import topics
from libs.contracts.accounts import purse_account
from libs.contracts.envelope import first_envelope
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerAnswer
from libs.fakes.ledger import PARTITIONS, a_purchase, a_reference
from libs.fakes.postgres_ledger import RealLedger, open_real_ledger
from libs.observe import Health
from libs.outcome import Outcome
from libs.settings import PostgresSettings
from services.card_ledger.handlers.open_accounts import Opening
from services.card_ledger.handlers.post_transfers import HistoryDiffers
from services.card_ledger.main import serve
from services.card_ledger.settings import LedgerKnobs, Settings

pytestmark = pytest.mark.postgres

MakeDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]
NOON_MS = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)
PATIENCE_SECONDS = 15
ANSWERS = "iso_bridge.answers.v1"
PURSE = purse_account(1)
FORGET = "UPDATE card_ledger.account SET seq = 0, balance = 100000 WHERE number = $1"
RECALL = "UPDATE card_ledger.account SET seq = 1, balance = 99900 WHERE number = $1"


class Bench:
    """Books of one wallet that has paid Rp 1.00 of its Rp 1,000.00, and a memory bus."""

    def __init__(self, dsn: str, ledger: RealLedger) -> None:
        self.ledger = ledger
        self.health = Health()
        self.health.expect("card_ledger.commands")  # Not ready before serving has begun.
        declared = load_topics(Path("deploy/kafka/topics.toml"))
        numbers = dict.fromkeys((topics.COMMANDS, topics.ENTRIES), PARTITIONS)
        self.bus = MemoryBus(with_partitions(declared, numbers), ledger.clock)
        self._settings = Settings(
            postgres=PostgresSettings(dsn=SecretStr(dsn)),
            card_ledger=LedgerKnobs(partitions=PARTITIONS, lease_ms=1_000),
        )

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Reader]:
        """Serve until the block is left; what the service raises fails the test."""
        await self.bus.start()
        answers = await self.bus.open_tail_reader(ANSWERS, partition=0)
        clock = self.ledger.clock
        task = asyncio.create_task(
            serve(self._settings, bus=self.bus, clock=clock, health=self.health)
        )
        try:
            await self.until(lambda: self.health.is_ready)
            yield answers
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def ask(self) -> None:
        """Publish a purchase of Rp 0.50."""
        envelope = first_envelope(
            schema=topics.LEDGER_COMMAND, answer_topic=ANSWERS, answer_partition=0, deadline_ms=0
        )
        command = a_purchase(a_reference(stan=2, amount=50)).SerializeToString()
        record = Outgoing(topics.COMMANDS, 1, b"", command, envelope.SerializeToString())
        await self.bus.publish([record], timeout_ms=1_000)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it is so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():  # noqa: ASYNC110 -- health has no event
                await asyncio.sleep(0.01)


async def answer(answers: Reader, *, wait_ms: int = PATIENCE_SECONDS * 1000) -> LedgerAnswer | None:
    """Return the next answer, None when there is none in time."""
    taken = await answers.take(wait_ms=wait_ms, records_max=1)
    return LedgerAnswer.FromString(taken[0][0].value) if taken else None


def forks(lines: list[Any]) -> list[tuple[str, int]]:
    """Return level and number of the forks that were logged."""
    return [
        (line["log_level"], line["in_a_row"]) for line in lines if line["event"] == "books_fork"
    ]


@pytest.fixture
async def bench(make_database: MakeDatabase) -> AsyncIterator[Bench]:
    """One purchase booked and projected; nobody holds the leases."""
    dsn = await make_database({"card_ledger": Path("services/card_ledger/migrations")})
    async with open_real_ledger(dsn, now_ms=NOON_MS) as ledger:
        owner = await ledger.own()
        await ledger.open(owner, [Opening(1, 0, 0, None, None, 100_000)])
        await owner.post(a_purchase(a_reference(stan=1, amount=100)))
        await ledger.upkeep.project(range(PARTITIONS), rows_max=100)
        await ledger.close()
        yield Bench(dsn, ledger)


class TestFork:
    async def test_ends_the_tenure_and_the_next_one_books(self, bench: Bench) -> None:
        """An owner that has forgotten a debit writes nothing, and is right once it reads again."""
        stale = await bench.ledger.own()
        account = stale.tenure.book.account(PURSE)
        assert account is not None
        stale.tenure.book.load({PURSE: account._replace(balance=100_000, seq=0)}, {})
        purchase = a_purchase(a_reference(stan=2, amount=50))

        with pytest.raises(HistoryDiffers, match="debit_seq") as caught:
            await stale.post(purchase)
        assert (1,) == caught.value.partitions
        fresh = await bench.ledger.own()
        (said,) = await fresh.post(purchase)
        assert (Outcome.APPROVED, False) == (Outcome.of(said.outcome), said.is_replay)
        assert 99_850 == said.balances[0].amount_minor
        assert [] == (await bench.ledger.verify()).findings

    async def test_is_healed_while_serving(self, bench: Bench) -> None:
        """The memory is one debit behind, the tables are right: one error line, one answer."""
        await bench.ledger.pool.write(FORGET, PURSE)
        with capture_logs() as lines:
            async with bench.serving() as answers:
                await bench.ledger.pool.write(RECALL, PURSE)
                await bench.ask()
                said = await answer(answers)
                await bench.until(lambda: bench.health.is_ready)

        assert said is not None
        assert (Outcome.APPROVED.number, 99_850) == (said.outcome, said.balances[0].amount_minor)
        assert [("error", 1)] == forks(lines)
        assert [] == (await bench.ledger.verify()).findings

    async def test_that_stays_is_red_and_waits_for_a_person(self, bench: Bench) -> None:
        """The table itself has forgotten a debit: no answer and pauses, until it is put right."""
        await bench.ledger.pool.write(FORGET, PURSE)
        with capture_logs() as lines:
            async with bench.serving() as answers:
                await bench.ask()
                await bench.until(lambda: "card_ledger.books" in bench.health.problems())
                problem = bench.health.problems()["card_ledger.books"]
                silence = await answer(answers, wait_ms=200)
                tried = forks(lines)
                found = (await bench.ledger.verify()).findings
                await bench.ledger.pool.write(RECALL, PURSE)
                said = await answer(answers)
                await bench.until(lambda: bench.health.is_ready)

        assert problem.startswith("partitions [1]: nothing can be booked")
        assert f"(debit, debit_seq, key_day) = ({PURSE}, 1, 2026-11-24)" in problem
        assert [f"account {PURSE}: projected up to its debit 0, its rows say 1"] == found[1:]
        assert None is silence
        assert [("error", 1), ("error", 2)] == tried
        assert said is not None
        assert Outcome.APPROVED.number == said.outcome
        assert [] == (await bench.ledger.verify()).findings
