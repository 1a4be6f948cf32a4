"""The heads of the books outside of the database: daily, when asked, and while trouble lasts."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from libs.fakes.clock import FixedClock
from libs.fakes.heads import MemoryShelf
from libs.heads import ShelfUnusable
from libs.pg import StoreUnavailable
from services.card_ledger.domain.head import PartitionHead
from services.card_ledger.handlers.publish_heads import PublishHeads

EVENING_MS = 1_795_650_900_000  # 2026-11-25 23:55 UTC.
DAY_MS = 86_400_000
GUARD_S = 5
HEADS = [PartitionHead(0, 1, 5, 12, b"\1" * 32), PartitionHead(1, 2, 3, 7, b"\2" * 32)]


class MemoryBooks:
    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.asked = 0

    async def heads(self) -> Sequence[PartitionHead]:
        """Return two partitions."""
        self.asked += 1
        if self.trouble is not None:
            raise self.trouble
        return HEADS


class Ledger:
    def __init__(self) -> None:
        self.clock = FixedClock(EVENING_MS)
        self.books = MemoryBooks()
        self.shelf = MemoryShelf()
        self.publish = self.again()

    def again(self) -> PublishHeads:
        """A process that has just started."""
        return PublishHeads(self.books, self.shelf, self.clock)


async def run_until(publish: PublishHeads, done: asyncio.Event) -> None:
    """Keep publishing until a test has seen enough."""
    keeping = asyncio.create_task(publish.keep(every_ms=1))
    async with asyncio.timeout(GUARD_S):
        await done.wait()
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping


class TestDaily:
    async def test_publishes_once_a_day(self) -> None:
        """With counts, incarnation, and each partition's batch and hash; also after a restart."""
        ledger = Ledger()

        assert "ledger-2026-11-25" == await ledger.publish.daily()
        assert None is await ledger.publish.daily()
        assert None is await ledger.again().daily()
        ledger.clock.advance(DAY_MS)
        assert "ledger-2026-11-26" == await ledger.publish.daily()

        assert {
            "kind": "ledger",
            "published_ms": EVENING_MS,
            "incarnation": 2,
            "batches": 8,
            "rows": 19,
            "heads": [
                {"partition": 0, "incarnation": 1, "batch_no": 5, "rows": 12, "hash": "01" * 32},
                {"partition": 1, "incarnation": 2, "batch_no": 3, "rows": 7, "hash": "02" * 32},
            ],
        } == ledger.shelf.kept["ledger-2026-11-25"]


class TestKeep:
    async def test_goes_on_after_trouble(self) -> None:
        """Of the shelf and of the database; nobody else hears of it."""
        ledger = Ledger()
        ledger.books.trouble = StoreUnavailable("away")
        done = asyncio.Event()

        class Watched(MemoryShelf):
            async def put(self, name: str, content: object) -> str:
                if ledger.shelf.trouble is None:
                    done.set()
                    return name
                raise ledger.shelf.trouble

        shelf = Watched()
        ledger.shelf.trouble = ShelfUnusable("full")
        publish = PublishHeads(ledger.books, shelf, ledger.clock)
        keeping = asyncio.create_task(run_until(publish, done))
        async with asyncio.timeout(GUARD_S):
            while ledger.books.asked < 2:  # noqa: ASYNC110 -- the fake only counts
                await asyncio.sleep(0)
            ledger.books.trouble = None
            while ledger.books.asked < 4:  # noqa: ASYNC110 -- as above
                await asyncio.sleep(0)
            ledger.shelf.trouble = None
            await keeping

        assert done.is_set()

    async def test_ends_at_once_where_no_place_is_given(self) -> None:
        """Tests and tools."""
        ledger = Ledger()
        ledger.shelf.is_given = False

        async with asyncio.timeout(GUARD_S):
            await ledger.publish.keep()

        assert 0 == ledger.books.asked


class TestNow:
    async def test_publishes_under_the_moment(self) -> None:
        """Beside the day's own."""
        ledger = Ledger()
        await ledger.publish.daily()

        assert "ledger-2026-11-25T235500Z" == await ledger.publish.now()
