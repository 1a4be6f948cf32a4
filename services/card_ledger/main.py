"""Put the card ledger together: settings, pool, leases, loop. The only composition root."""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import date
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from libs.bus import Bus, BusUnavailable, LoopSettings, Reader, dead_letters, run_batches
from libs.clock import Clock, business_day, day_number
from libs.contracts import topics
from libs.heads import Shelf
from libs.observe import Health, Metrics
from libs.outcome import Fault
from libs.pg import Pool
from services.card_ledger.adapters.answer_publisher import AnswerPublisher
from services.card_ledger.adapters.figures import MetricsFigures
from services.card_ledger.domain.book import Book
from services.card_ledger.domain.closing import DayTotals
from services.card_ledger.domain.head import PartitionHead
from services.card_ledger.domain.wallet_view import Statement
from services.card_ledger.handlers.begin_tenure import BeginTenure
from services.card_ledger.handlers.close_day import WriteLine
from services.card_ledger.handlers.close_day import close_day as close_books_day
from services.card_ledger.handlers.fix_partitions import fix_partitions
from services.card_ledger.handlers.hold_leases import hold_leases
from services.card_ledger.handlers.keep_tenure import KeepDays, KeepTenure
from services.card_ledger.handlers.open_accounts import OpenAccounts, Opening
from services.card_ledger.handlers.post_transfers import PostTransfers, TenureEnded
from services.card_ledger.handlers.publish_heads import PublishHeads
from services.card_ledger.handlers.recover_books import Recovered, recover_restored
from services.card_ledger.handlers.set_aside import SetAside
from services.card_ledger.handlers.tell_movements import TellMovements
from services.card_ledger.handlers.tenure import Tenure
from services.card_ledger.handlers.verify_books import Report as BooksReport
from services.card_ledger.handlers.verify_books import verify_books
from services.card_ledger.handlers.watch_forks import ForkWatch
from services.card_ledger.ports import LeaseLost
from services.card_ledger.settings import Settings
from services.card_ledger.store.audit import open_audit
from services.card_ledger.store.books import PostgresBooks
from services.card_ledger.store.closing import open_closing
from services.card_ledger.store.heads import PostgresHeads
from services.card_ledger.store.leases import PostgresLeases
from services.card_ledger.store.movements import PostgresMovements
from services.card_ledger.store.pools import open_books_pool, open_upkeep_pool
from services.card_ledger.store.recover import open_recovery
from services.card_ledger.store.statements import PostgresStatements
from services.card_ledger.store.upkeep import PostgresUpkeep

MIGRATIONS = Path(__file__).parent / "migrations"
DAYS_EVERY_MS = 60_000
SEED_LEASE_MS = 60_000
log = structlog.get_logger("card_ledger")

Progress = Callable[[int], None]


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


def _open_pools(settings: Settings) -> tuple[AbstractAsyncContextManager[Pool], ...]:
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
        self._movements = PostgresMovements(pool)
        self._upkeep = PostgresUpkeep(upkeep)
        self._leases = PostgresLeases(settings.postgres.dsn, lease_ms=self._knobs.lease_ms)
        self._heads = _publisher(settings, upkeep, clock)
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
        self._partitions = await fix_partitions(self._upkeep, self._bus, self._knobs.partitions)
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
        tell = TellMovements(
            self._movements,
            AnswerPublisher(self._bus),
            send_timeout_ms=self._knobs.send_timeout_ms,
        )
        figures = MetricsFigures(self._metrics)
        post = PostTransfers(self._books, tenure, self._clock, self._zone, figures, tell.ask)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._give_back, tenure)
            reader = await self._bus.open_reader(topics.COMMANDS, starts=tenure.starts())
            stack.push_async_callback(reader.close)
            stack.callback(self._metrics.ledger_partitions_held.set, 0)
            async with asyncio.TaskGroup() as tasks:
                self._keeper().start(tasks, tenure)
                tasks.create_task(self._heads.keep())
                tasks.create_task(tell.keep())
                tasks.create_task(self._post_batches(tenure, post, reader))
                self._metrics.ledger_partitions_held.set(len(tenure.standings))
                self._health.report("card_ledger.commands", None)

    def _keeper(self) -> KeepTenure:
        return KeepTenure(
            self._leases,
            self._upkeep,
            self._bus,
            self._clock,
            self._health.report,
            lease_ms=self._knobs.lease_ms,
            project_every_ms=self._knobs.project_every_ms,
            project_rows_max=self._knobs.project_rows_max,
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
    progress: Progress = lambda _: None,
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
        leases = PostgresLeases(settings.postgres.dsn, lease_ms=SEED_LEASE_MS)
        holder = f"lesko seed on {socket.gethostname()}, process {os.getpid()}"
        async with AsyncExitStack() as stack:
            stack.push_async_callback(leases.close)
            holding = hold_leases(leases, holder, purpose="seed")
            owned = await stack.enter_async_context(holding)
            tenure = Tenure.begin(owned, Book(partitions), "seed", day=day_number(today))
            state = await books.load(owned, day_number(today))
            tenure.book.load(state.accounts, state.usage)
            post = PostTransfers(books, tenure, clock, zone, MetricsFigures(Metrics()))
            opening = OpenAccounts(upkeep, post, clock, partitions)
            await opening.in_parts(openings, today, progress)
            await upkeep.project(range(partitions), rows_max=knobs.project_rows_max)


async def verify(
    settings: Settings, *, published: Mapping[int, tuple[int, str]] | None = None
) -> BooksReport:
    """Verify the books in one snapshot; ``published``: batch number and hash by partition."""
    async with open_upkeep_pool(settings.postgres.dsn) as pool, open_audit(pool) as reader:
        return await verify_books(reader, published)


def _publisher(settings: Settings, pool: Pool, clock: Clock) -> PublishHeads:
    return PublishHeads(PostgresHeads(pool), Shelf(settings.heads.directory), clock)


async def publish_heads(settings: Settings, clock: Clock) -> str:
    """Write the heads to a place outside as they are now; return where."""
    async with open_upkeep_pool(settings.postgres.dsn) as pool:
        return await _publisher(settings, pool, clock).now()


async def read_heads(settings: Settings) -> Sequence[PartitionHead]:
    """Return where each partition's chain ends now."""
    async with open_upkeep_pool(settings.postgres.dsn) as pool:
        return await PostgresHeads(pool).heads()


async def show_wallet(settings: Settings, wallet: int) -> Statement:
    """Return a wallet's purses and last movements, for `lesko card show`."""
    async with open_upkeep_pool(settings.postgres.dsn) as pool:
        return await PostgresStatements(pool).wallet(wallet)


async def close_day(settings: Settings, day: date, write: WriteLine) -> DayTotals:
    """Write what each account did on a booking day, as of one moment; raises DayNotOver."""
    async with open_upkeep_pool(settings.postgres.dsn) as pool, open_closing(pool) as reader:
        today = await reader.open_day(settings.card_ledger.business_zone)
        return await close_books_day(reader, day, today=today, write=write)


async def recover(settings: Settings, bus: Bus | None, day: date, progress: Progress) -> Recovered:
    """Bring restored books up to the entries on the bus, by their owner's login; idempotent."""
    async with open_recovery(settings.postgres.dsn) as stores:
        return await recover_restored(stores, bus, day, progress)
