"""The posting handler on real books, for integration tests: one owner after another."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date

from pydantic import SecretStr

from libs.clock import business_day, day_number
from libs.fakes.clock import FixedClock
from libs.fakes.ledger import PARTITIONS, ZONE, Counter
from libs.observe import Metrics
from libs.pg import Pool, open_pool
from services.card_ledger.adapters.figures import MetricsFigures
from services.card_ledger.domain.book import Book
from services.card_ledger.handlers.keep_tenure import KeepDays
from services.card_ledger.handlers.open_accounts import OpenAccounts, Opening
from services.card_ledger.handlers.post_transfers import PostTransfers
from services.card_ledger.handlers.tenure import Tenure
from services.card_ledger.handlers.verify_books import Report, verify_books
from services.card_ledger.store.audit import open_audit
from services.card_ledger.store.books import PostgresBooks
from services.card_ledger.store.leases import PostgresLeases
from services.card_ledger.store.upkeep import PostgresUpkeep


class Owner(Counter):
    """One owner of all partitions; its tenure lasts until another one takes over."""

    tenure: Tenure
    leases: PostgresLeases


class RealLedger:
    """A database with books, and owners that come and go."""

    def __init__(self, dsn: str, pool: Pool, now_ms: int) -> None:
        self.pool = pool
        self.clock = FixedClock(now_ms)
        self.upkeep = PostgresUpkeep(pool)
        self.days = KeepDays(self.upkeep, self.clock, ZONE, back=35, ahead=7)
        self._dsn = dsn
        self._owners: list[Owner] = []

    @property
    def today(self) -> date:
        """The business day."""
        return business_day(self.clock.now_ms(), ZONE)

    async def own(self) -> Owner:
        """Take over from whoever owns the partitions, as if its connection had gone."""
        for old in self._owners:
            await old.leases.close()
        leases = PostgresLeases(SecretStr(self._dsn), lease_ms=1_000)
        owned = await leases.take(f"owner {len(self._owners) + 1}")
        assert owned, "somebody still holds the leases"
        books = PostgresBooks(self.pool, self.pool, lease_ms=1_000)
        day = max(day_number(self.today), *(one.booked_on for one in owned))
        state = await books.load(owned, day)
        book = Book(PARTITIONS)
        book.load(state.accounts, state.usage)
        tenure = Tenure.begin(owned, book, "t", day=day)
        post = PostTransfers(books, tenure, self.clock, ZONE, MetricsFigures(Metrics()))
        owner = Owner(post, self.clock, PARTITIONS)
        owner.tenure, owner.leases = tenure, leases
        self._owners.append(owner)
        return owner

    async def open(self, owner: Owner, openings: Sequence[Opening]) -> None:
        """Open purses with what they hold at first."""
        opening = OpenAccounts(self.upkeep, owner.handler, self.clock, PARTITIONS)
        await opening(openings, self.today)

    async def verify(self, published: dict[int, tuple[int, str]] | None = None) -> Report:
        """Verify the books."""
        async with open_audit(self.pool) as reader:
            return await verify_books(reader, published)

    async def close(self) -> None:
        """Let all owners go."""
        for owner in self._owners:
            await owner.leases.close()


@asynccontextmanager
async def open_real_ledger(dsn: str, *, now_ms: int) -> AsyncIterator[RealLedger]:
    """Open books in a migrated database and prepare the days around now."""
    async with open_pool(dsn, name="test", size=6, seqscan=False) as pool:
        ledger = RealLedger(dsn, pool, now_ms)
        await ledger.upkeep.fix_partitions(PARTITIONS)
        await ledger.days.prepare()
        try:
            yield ledger
        finally:
            await ledger.close()
