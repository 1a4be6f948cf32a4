"""The audit's head outside of the database: once a day, and whenever somebody asks."""

from libs.fakes.admin import MemoryTransactions
from libs.fakes.clock import FixedClock
from libs.fakes.heads import MemoryShelf
from libs.heads import ShelfUnusable
from services.admin.domain.act import Act
from services.admin.handlers.publish_heads import AGAIN_MS, PublishHeads

EVENING_MS = 1_795_650_900_000  # 2026-11-25 23:55 UTC.
DAY_MS = 86_400_000


class Desk:
    def __init__(self) -> None:
        self.clock = FixedClock(EVENING_MS)
        self.tables = MemoryTransactions(self.clock)
        self.shelf = MemoryShelf()
        self.publish = self.again()

    def again(self) -> PublishHeads:
        """A process that has just started."""
        return PublishHeads(self.tables, self.shelf, self.clock)


class TestDaily:
    async def test_publishes_once_a_day(self) -> None:
        """Also when the process starts anew; days are UTC."""
        desk = Desk()
        async with desk.tables.begin() as work:
            await work.audit.add(None, Act("session.open", "operator/x", {}), "refused", {})
        head = await desk.tables.head()

        assert "audit-2026-11-25" == await desk.publish.daily()
        assert None is await desk.publish.daily()
        assert None is await desk.again().daily()
        desk.clock.advance(DAY_MS)
        assert "audit-2026-11-26" == await desk.publish.daily()

        assert {
            "kind": "audit",
            "published_ms": EVENING_MS,
            "rows": 1,
            "audit": {"no": 1, "hash": head.hash.hex()},
        } == desk.shelf.kept["audit-2026-11-25"]

    async def test_publishes_nothing_where_no_place_is_given(self) -> None:
        """Tests and tools."""
        desk = Desk()
        desk.shelf.is_given = False

        assert None is await desk.publish.daily()
        assert {} == desk.shelf.kept

    async def test_tries_again_after_trouble_but_not_at_once(self) -> None:
        """The relay goes on meanwhile; a full disk is told once a minute."""
        desk = Desk()
        desk.shelf.trouble = ShelfUnusable("full")

        await desk.publish.keep_daily()
        desk.shelf.trouble = None
        await desk.publish.keep_daily()
        assert {} == desk.shelf.kept
        desk.clock.advance(AGAIN_MS)
        await desk.publish.keep_daily()

        assert ["audit-2026-11-25"] == list(desk.shelf.kept)


class TestNow:
    async def test_publishes_under_the_moment(self) -> None:
        """Beside the day's own."""
        desk = Desk()
        await desk.publish.daily()

        assert "audit-2026-11-25T235500Z" == await desk.publish.now()
