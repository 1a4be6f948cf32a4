"""Admin's wallets in front of a ledger that is served: real tables, a bus in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from libs.bus import MemoryBus, Outgoing, Record, TopicSettings
from libs.clock import SystemClock, day_number
from libs.contracts import topics
from libs.contracts.envelope import first_envelope, read_envelope
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerAnswer
from libs.fakes.clock import FixedClock
from libs.observe import Health
from libs.outcome import Outcome
from libs.pg import Pool, open_pool
from libs.settings import PostgresSettings
from services.admin.adapters.ask_ledger import AskLedger
from services.admin.adapters.pdf_process import PdfProcess
from services.admin.adapters.statement_csv import write_csv
from services.admin.domain.act import Act
from services.admin.domain.role import Caller, Role, Scope
from services.admin.domain.wallet import ADJUST, wallet_entity
from services.admin.handlers.adjust_wallet import AdjustWallet
from services.admin.handlers.await_answers import AwaitAnswers
from services.admin.handlers.decide_proposal import DecideProposal
from services.admin.handlers.perform_act import Done, PerformAct, Proposed
from services.admin.handlers.read_statement import ReadStatement
from services.admin.store.adjustments import AdjustmentStore
from services.admin.store.audit import AuditStore
from services.admin.store.work import PostgresTransactions
from services.card_ledger.handlers.open_accounts import Opening
from services.card_ledger.main import open_books
from services.card_ledger.main import serve as serve_ledger
from services.card_ledger.settings import LedgerKnobs
from services.card_ledger.settings import Settings as LedgerSettings
from tests.integration.services.admin.approvals import MakeDatabase

TODAY: Final = date(2026, 11, 24)
PARTITIONS: Final = 4
WALLET: Final = 1
SERVICES: Final = {name: Path(f"services/{name}/migrations") for name in ("admin", "card_ledger")}
_NOON_MS: Final = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)
_PERSON: Final = """
    INSERT INTO admin.operator (login, name, role, made_at) VALUES ($1, $1, $2, now())
    RETURNING id
"""
_COMMANDS: Final = "SELECT id, partition, key, record FROM admin.command ORDER BY no"


class WalletBench:
    """Two people, an outbox that the bench sends by hand, and statements."""

    def __init__(self, dsn: str, pool: Pool) -> None:
        self.pool = pool
        self.clock = FixedClock(_NOON_MS)
        self.health = Health()
        self.bus = a_bus()
        self.answers = AwaitAnswers()
        self.heard: dict[bytes, Record] = {}
        self.settings = LedgerSettings(
            postgres=PostgresSettings(dsn=SecretStr(dsn)),
            card_ledger=LedgerKnobs(partitions=PARTITIONS, lease_ms=1_000, days_back=4),
        )
        ledger = AskLedger(
            self.bus,
            self.answers,
            self.clock,
            partitions=PARTITIONS,
            instance=0,
            timeout_ms=20_000,
        )
        executors = {"wallet": AdjustWallet(PARTITIONS, lambda: day_number(TODAY))}
        self.transactions = PostgresTransactions(pool, self.clock)
        self.perform = PerformAct(self.transactions, executors)
        self.decide = DecideProposal(self.transactions, executors)
        self.audit = AuditStore(pool)
        self.read = ReadStatement(
            ledger, AdjustmentStore(pool, "Asia/Jayapura"), {"csv": write_csv, "pdf": PdfProcess()}
        )

    async def person(self, login: str, role: Role) -> Caller:
        """Make an operator who has signed in."""
        [row] = await self.pool.write(_PERSON, login, int(role))
        return Caller(row["id"], login, role, Scope(), has_factor=True)

    async def adjust(self, maker: Caller, checker: Caller, **content: Any) -> Done:
        """Have an adjustment proposed by one and approved by another."""
        act = Act(ADJUST, wallet_entity(WALLET), {"purse": 0, **content}, "Selisih kas", "BA-17")
        proposed = await self.perform(maker, act)
        assert isinstance(proposed, Proposed)
        async with self.transactions.begin() as work:
            proposal = await work.proposals.show(proposed.number)
        assert proposal is not None
        done = await self.decide.approve(checker, proposed.number, agreed=proposal.hash)
        assert isinstance(done, Done)
        return done

    async def send(self) -> list[Outcome]:
        """Send every command of the outbox, whether it was answered or not; return the answers."""
        rows = await self.pool.read(_COMMANDS)
        for row in rows:
            self.heard.pop(row["id"], None)
            envelope = first_envelope(
                schema=topics.LEDGER_COMMAND,
                answer_topic=topics.ADMIN_ANSWERS,
                answer_partition=0,
                deadline_ms=0,
            )
            envelope.correlation_id = row["id"]
            out = Outgoing(
                topics.COMMANDS,
                row["partition"],
                row["key"],
                row["record"],
                envelope.SerializeToString(),
            )
            await self.bus.publish([out], timeout_ms=5_000)
        await until(lambda: all(row["id"] in self.heard for row in rows))
        answers = [LedgerAnswer.FromString(self.heard[row["id"]].value) for row in rows]
        return [Outcome.of(answer.outcome) for answer in answers]

    async def deliver(self) -> None:
        """Read admin's own answers until cancelled, as whoever settles commands does."""
        reader = await self.bus.open_tail_reader(topics.ADMIN_ANSWERS, partition=0)
        while True:
            taken = await reader.take(wait_ms=1_000, records_max=100)
            for record in (record for some in taken.values() for record in some):
                schema = read_envelope(record.envelope).schema
                if not self.answers.deliver(record.key, schema, record.value):
                    self.heard[record.key] = record


@asynccontextmanager
async def open_wallet_bench(make_database: MakeDatabase) -> AsyncIterator[WalletBench]:
    """Open it with wallet 1 holding Rp 10.00 of its own and Rp 5.00 of programme 3, and serve."""
    dsn = await make_database(SERVICES)
    async with open_pool(dsn, name="test wallets", size=4) as pool:
        bench = WalletBench(dsn, pool)
        await open_books(
            bench.settings,
            bench.clock,
            [Opening(WALLET, 0, 0, 2_000, None, 1_000), Opening(WALLET, 1, 3, None, None, 500)],
        )
        await bench.bus.start()
        ledger = serve_ledger(bench.settings, bus=bench.bus, clock=bench.clock, health=bench.health)
        tasks = [asyncio.create_task(ledger), asyncio.create_task(bench.deliver())]
        try:
            await until(lambda: not bench.health.problems())
            yield bench
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await bench.bus.stop()


def a_bus() -> MemoryBus:
    """Return a bus with the topics of ledger and admin."""
    shared, one = TopicSettings(partitions=PARTITIONS), TopicSettings(partitions=1)
    return MemoryBus(
        {
            topics.COMMANDS: shared,
            topics.ENTRIES: shared,
            topics.dead_letters(topics.COMMANDS): shared,
            topics.ADMIN_ANSWERS: one,
        },
        SystemClock(),
    )


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, at most 20 s."""
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 -- what is waited for has no event of its own
            await asyncio.sleep(0.01)
