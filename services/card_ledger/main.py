"""Put the card ledger together: settings, pool, leases, loop. The only composition root."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from libs.bus import Bus, BusUnavailable, LoopSettings, Reader, dead_letters, run_batches
from libs.clock import Clock, business_day, day_number
from libs.contracts import topics
from libs.observe import Health, Metrics
from libs.outcome import Fault
from libs.pg import Pool
from services.card_ledger.adapters.answer_publisher import AnswerPublisher
from services.card_ledger.adapters.figures import MetricsFigures
from services.card_ledger.domain.book import Book
from services.card_ledger.handlers.begin_tenure import BeginTenure
from services.card_ledger.handlers.keep_tenure import (
    KeepDays,
    keep_leases,
    keep_projections,
    keep_reach,
)
from services.card_ledger.handlers.open_accounts import OpenAccounts, Opening
from services.card_ledger.handlers.post_transfers import PostTransfers, TenureEnded
from services.card_ledger.handlers.set_aside import SetAside
from services.card_ledger.handlers.tenure import Tenure
from services.card_ledger.handlers.verify_books import Report as BooksReport
from services.card_ledger.handlers.verify_books import verify_books
from services.card_ledger.handlers.watch_forks import ForkWatch
from services.card_ledger.ports import LeaseLost, OwnedPartition
from services.card_ledger.settings import Settings
from services.card_ledger.store.audit import open_audit
from services.card_ledger.store.books import PostgresBooks
from services.card_ledger.store.leases import PostgresLeases
from services.card_ledger.store.pools import open_books_pool, open_upkeep_pool
from services.card_ledger.store.statements import PostgresStatements, Statement
from services.card_ledger.store.upkeep import PostgresUpkeep

MIGRATIONS = Path(__file__).parent / "migrations"
DAYS_EVERY_MS = 60_000
SEED_LEASE_MS = 60_000
OPENINGS_AT_ONCE = 2_000
log = structlog.get_logger("card_ledger")

OpenPool = AbstractAsyncContextManager[Pool]


class LeaseHeld(Fault):
    """The books are being served by another process."""


class PartitionsDiffer(Fault):
    """Somebody counts partitions otherwise than the books do."""


async def serve(
    settings: Settings, *, bus: Bus, clock: Clock, health: Health, metrics: Metrics | None = None
) -> None:
    """Serve until cancelled; then the batch in hand is finished and leases are given back."""
    for check in ("leases", "commands", "days"):
        health.expect(f"card_ledger.{check}")
    books_pool, upkeep_pool = _open_pools(settings)
    async with books_pool as pool, upkeep_pool as upkeep:
        ledger = _Ledger(settings, pool, upkeep, bus, clock, health, metrics or Metrics())
        await ledger.prepare()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(ledger.keep_days())
            tasks.create_task(ledger.keep_tenures())


def _open_pools(settings: Settings) -> tuple[OpenPool, OpenPool]:
    """Return the writer's pool and the one for what may take long, to be entered."""
    dsn = settings.postgres.dsn
    size = settings.card_ledger.pool_size_max
    return open_books_pool(dsn, size=size), open_upkeep_pool(dsn)


class _Ledger:
    """The parts of one ledger process."""

    def __init__(
        self,
        settings: Settings,
        pool: Pool,
        upkeep: Pool,
        bus: Bus,
        clock: Clock,
        health: Health,
        metrics: Metrics,
    ) -> None:
        self._knobs = settings.card_ledger
        self._zone = ZoneInfo(self._knobs.business_zone)
        self._bus = bus
        self._clock = clock
        self._health = health
        self._metrics = metrics
        self._books = PostgresBooks(pool, upkeep, lease_ms=self._knobs.lease_ms)
        self._upkeep = PostgresUpkeep(upkeep)
        self._leases = PostgresLeases(settings.postgres.dsn, lease_ms=self._knobs.lease_ms)
        self._begin = BeginTenure(
            self._leases,
            self._books,
            bus,
            clock,
            self._zone,
            holder=self._knobs.holder or f"{socket.gethostname()}, process {os.getpid()}",
            lease_ms=self._knobs.lease_ms,
            report=partial(health.report, "card_ledger.leases"),
        )
        self._days = KeepDays(
            self._upkeep,
            clock,
            self._zone,
            back=self._knobs.days_back,
            ahead=self._knobs.days_ahead,
        )
        self._partitions = self._knobs.partitions
        self._forks = ForkWatch(partial(health.report, "card_ledger.books"))

    async def prepare(self) -> None:
        """Fix or check the number of partitions and make the days. Raises PartitionsDiffer."""
        self._partitions = await self._upkeep.fix_partitions(self._knobs.partitions)
        found = (await self._bus.topic(topics.COMMANDS)).partitions
        for who, number in (("the setting", self._knobs.partitions), (topics.COMMANDS, found)):
            if number != self._partitions:
                message = (
                    f"the books have {self._partitions} partitions but {who} says {number};"
                    f" set LESKO_CARD_LEDGER__PARTITIONS={self._partitions}"
                )
                raise PartitionsDiffer(message)
        await self._days.prepare()

    async def keep_days(self) -> None:
        """Keep day partitions ahead."""
        await self._days.keep(
            every_ms=DAYS_EVERY_MS,
            report=partial(self._health.report, "card_ledger.days"),
            seen=self._note_days,
        )

    async def keep_tenures(self) -> None:
        """Wait for leases, then serve; again once they are lost or the log is out of reach."""
        try:
            while True:
                try:
                    tenure = await self._begin(self._partitions)
                    await self._serve_tenure(tenure)
                except* (TenureEnded, LeaseLost, BusUnavailable) as ended:
                    await asyncio.sleep(self._forks.ended(ended.exceptions) / 1000)
                except* Fault as faults:
                    self._begin.follower.go_on(faults)
        finally:
            await self._leases.close()

    async def _serve_tenure(self, tenure: Tenure) -> None:
        figures = MetricsFigures(self._metrics)
        post = PostTransfers(self._books, tenure, self._clock, self._zone, figures)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._give_back, tenure)
            reader = await self._bus.open_reader(topics.COMMANDS, starts=tenure.starts())
            stack.push_async_callback(reader.close)
            stack.callback(self._metrics.ledger_partitions_held.set, 0)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_leases(tenure))
                tasks.create_task(self._keep_reach())
                tasks.create_task(self._keep_projections(tenure))
                tasks.create_task(self._post_batches(tenure, post, reader))
                self._metrics.ledger_partitions_held.set(len(tenure.standings))
                self._health.report("card_ledger.commands", None)

    async def _keep_leases(self, tenure: Tenure) -> None:
        await keep_leases(
            self._leases,
            tenure,
            every_ms=self._knobs.lease_ms // 4,
            report=partial(self._health.report, "card_ledger.leases"),
        )

    async def _keep_reach(self) -> None:
        await keep_reach(
            self._bus,
            self._clock,
            topics.COMMANDS,
            every_ms=self._knobs.lease_ms // 4,
            patience_ms=2 * self._knobs.lease_ms,
        )

    async def _keep_projections(self, tenure: Tenure) -> None:
        await keep_projections(
            self._upkeep,
            tenure,
            every_ms=self._knobs.project_every_ms,
            rows_max=self._knobs.project_rows_max,
            report=partial(self._health.report, "card_ledger.projection"),
        )

    async def _post_batches(self, tenure: Tenure, post: PostTransfers, reader: Reader) -> None:
        await run_batches(
            reader,
            AnswerPublisher(self._bus),
            post,
            poison=SetAside(post.refuse_poison, dead_letters(self._clock)),
            report=partial(self._health.report, "card_ledger.commands"),
            settings=LoopSettings(
                records_max=self._knobs.batch_records_max,
                send_timeout_ms=self._knobs.send_timeout_ms,
            ),
            acknowledged=partial(self._settled, tenure),
            figures=self._metrics.loop_figures(topics.COMMANDS),
        )

    def _settled(self, tenure: Tenure, through: Mapping[int, int]) -> None:
        tenure.acknowledged.update(through)  # Where to read on; the next batch stores it.
        self._forks.settled(through)
        self._begin.follower.reached(through)

    async def _give_back(self, tenure: Tenure) -> None:
        try:
            await self._leases.give_back(tenure.epochs)
        except Fault as fault:
            log.warning("leases_not_given_back", reason=str(fault))

    def _note_days(self, in_default: int, ahead: int) -> None:
        if in_default:
            log.error("rows_without_a_day_partition", rows=in_default)
        self._metrics.ledger_rows_in_default.set(in_default)
        self._metrics.ledger_days_ahead.set(ahead)


async def open_books(
    settings: Settings,
    clock: Clock,
    openings: Sequence[Opening],
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Open purses and book their opening balances; ``progress`` hears how many are done.

    Idempotent. Raises LeaseHeld while another process serves the books.
    """
    knobs = settings.card_ledger
    zone = ZoneInfo(knobs.business_zone)
    books_pool, upkeep_pool = _open_pools(settings)
    async with books_pool as pool, upkeep_pool as slow:
        upkeep = PostgresUpkeep(slow)
        books = PostgresBooks(pool, slow, lease_ms=SEED_LEASE_MS)
        partitions = await upkeep.fix_partitions(knobs.partitions)
        days = KeepDays(upkeep, clock, zone, back=knobs.days_back, ahead=knobs.days_ahead)
        await days.prepare()
        today = business_day(clock.now_ms(), zone)
        async with _seed_leases(settings) as owned:
            tenure = Tenure.begin(owned, Book(partitions), "seed")
            state = await books.load(owned, day_number(today))
            tenure.book.load(state.accounts, state.usage)
            post = PostTransfers(books, tenure, clock, zone, MetricsFigures(Metrics()))
            opening = OpenAccounts(upkeep, post, clock, partitions)
            for first in range(0, len(openings), OPENINGS_AT_ONCE):
                await opening(openings[first : first + OPENINGS_AT_ONCE], today)
                progress(min(first + OPENINGS_AT_ONCE, len(openings)))
            await upkeep.project(range(partitions), rows_max=knobs.project_rows_max)


@asynccontextmanager
async def _seed_leases(settings: Settings) -> AsyncIterator[Sequence[OwnedPartition]]:
    """Hold all leases while the block runs; raises LeaseHeld."""
    leases = PostgresLeases(settings.postgres.dsn, lease_ms=SEED_LEASE_MS)
    try:
        owned = await leases.take(f"lesko seed on {socket.gethostname()}, process {os.getpid()}")
        if not owned:
            holders = ", ".join(await leases.holders())
            message = f"The books are being served by {holders}; stop it, then seed."
            raise LeaseHeld(message)
        yield owned
        await leases.give_back({one.partition: one.epoch for one in owned})
    finally:
        await leases.close()


async def verify(
    settings: Settings, *, published: Mapping[int, tuple[int, str]] | None = None
) -> BooksReport:
    """Verify the books in one snapshot; ``published``: batch number and hash by partition."""
    async with (
        open_upkeep_pool(settings.postgres.dsn) as pool,
        open_audit(pool) as reader,
    ):
        return await verify_books(reader, published)


async def show_wallet(settings: Settings, wallet: int) -> Statement:
    """Return a wallet's purses and last movements, for `lesko card show`."""
    async with open_upkeep_pool(settings.postgres.dsn) as pool:
        return await PostgresStatements(pool).wallet(wallet)
