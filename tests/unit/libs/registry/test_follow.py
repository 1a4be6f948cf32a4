"""Following the registry: filled before ready, then live; whatever happens to the bus."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from libs.bus import BusUnavailable, MemoryBus, Outgoing, TopicInfo, TopicSettings
from libs.contracts.topics import REGISTRY
from libs.fakes.clock import FixedClock
from libs.fakes.registry import a_terminal
from libs.registry import (
    EntityStatus,
    Entry,
    RegistryFollower,
    RegistryView,
    entity_of,
    write_change,
    write_published,
)

NOW_MS = 1_795_489_200_000


class Bench:
    """A follower on a memory bus, and what it reported."""

    def __init__(self, wait_ms: int = 5) -> None:
        self.clock = FixedClock(NOW_MS)
        self.bus = ForgetfulBus(self.clock)
        self.view = RegistryView()
        self.reports: list[str | None] = []
        self.follower = RegistryFollower(
            bus=self.bus,
            view=self.view,
            clock=self.clock,
            report=self.reports.append,
            wait_ms=wait_ms,
            retry_ms=5,
        )

    async def publish(self, entry: Entry, version: int) -> None:
        """Publish an entry as admin does."""
        change = write_change(entry, version=version, changed_ms=NOW_MS)
        await self.publish_bytes(entity_of(entry).encode(), change.SerializeToString())

    async def end_publication(self, log: str = "") -> None:
        """Say that all of the registry stands in a log, by default in the one that is."""
        ended = write_published(log or (await self.bus.topic(REGISTRY)).id, entities=1)
        await self.publish_bytes(ended.entity.encode(), ended.SerializeToString())

    async def publish_bytes(self, key: bytes, value: bytes) -> None:
        """Publish a record whatever it holds."""
        await self.bus.publish([Outgoing(REGISTRY, 0, key, value, b"")], timeout_ms=1_000)

    @property
    def is_filled(self) -> bool:
        """Tell whether who waits for the follower has been let through."""
        return self.waiting.done()

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Let the follower run meanwhile, and somebody wait for it."""
        task = asyncio.create_task(self.follower.run())
        self.waiting = asyncio.create_task(self.follower.filled())
        try:
            yield
        finally:
            self.waiting.cancel()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def says_partly(self) -> bool:
        """Tell whether the last report calls the log half published."""
        return "does not hold all" in str(self.reports[-1:])

    async def until(self, is_true: Callable[[], bool]) -> None:
        """Wait until something is so; fail after five seconds."""
        async with asyncio.timeout(5):
            while not is_true():  # noqa: ASYNC110 -- the view has no event, by design
                await asyncio.sleep(0.002)


class ForgetfulBus(MemoryBus):
    """A memory bus that can go away, and come back as another log without any record."""

    def __init__(self, clock: FixedClock) -> None:
        self._wall = clock
        self.is_down = False
        super().__init__(a_registry_topic(), clock)

    async def topic(self, name: str) -> TopicInfo:
        """Describe a topic, unless the bus is down."""
        if self.is_down:
            raise BusUnavailable("the broker does not answer")
        return await super().topic(name)

    async def forget(self) -> None:
        """Die and come back empty, with other topic ids."""
        await self.stop()
        super().__init__(a_registry_topic(), self._wall)
        await self.start()


def a_registry_topic() -> dict[str, TopicSettings]:
    return {REGISTRY: TopicSettings(partitions=1, compacted=True)}


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    await bench.bus.start()
    yield bench
    await bench.bus.stop()


async def within(awaitable: Awaitable[None]) -> None:
    await asyncio.wait_for(awaitable, 5)


class TestFill:
    async def test_knows_everything_before_it_is_ready(self, bench: Bench) -> None:
        """All that was published before is in the view when the follower says so."""
        for number in range(1, 2_501):
            await bench.publish(a_terminal(number), 1)
        await bench.end_publication()

        async with bench.following():
            await within(bench.follower.filled())

        assert a_terminal(2_500) == bench.view.terminal("LSK02500")
        assert ["the registry is still being read", None] == bench.reports
        assert bench.view.is_current(NOW_MS)

    async def test_is_not_ready_while_the_topic_is_empty(self, bench: Bench) -> None:
        """Nobody can buy at no terminal: an empty registry is trouble, and says so."""
        async with bench.following():
            await bench.until(lambda: len(bench.reports) > 2)
            assert "is empty" in str(bench.reports[-1])

            await bench.publish(a_terminal(), 1)
            await bench.end_publication()
            await within(bench.follower.filled())

        assert bench.reports[-1] is None

    async def test_waits_for_a_bus_that_is_away(self, bench: Bench) -> None:
        """A bus that does not answer is reported, and read as soon as it does."""
        await bench.publish(a_terminal(), 1)
        await bench.end_publication()
        bench.bus.is_down = True

        async with bench.following():
            await bench.until(lambda: len(bench.reports) > 1)
            assert "the registry cannot be read: the broker does not answer" == bench.reports[-1]

            bench.bus.is_down = False
            await within(bench.follower.filled())


class TestWhole:
    async def test_is_not_ready_while_half_published(self, bench: Bench) -> None:
        """The end of the log is not the end of the registry while admin has not said so."""
        for number in range(1, 1_501):
            await bench.publish(a_terminal(number), 1)
        async with bench.following():
            await bench.until(bench.says_partly)
            half = (bench.is_filled, bench.view.is_current(NOW_MS))

            await bench.publish(a_terminal(1_501), 1)
            await bench.end_publication()
            await within(bench.follower.filled())

        assert (False, False) == half
        assert bench.reports[-1] is None
        assert bench.view.is_current(NOW_MS)

    async def test_does_not_believe_the_end_of_another_log(self, bench: Bench) -> None:
        """A record that names a log of before says nothing about this one."""
        await bench.publish(a_terminal(1), 1)
        await bench.end_publication("a log of before")
        async with bench.following():
            await bench.until(bench.says_partly)

            assert not bench.is_filled
            assert not bench.view.is_current(NOW_MS)
            await bench.end_publication()
            await within(bench.follower.filled())

    async def test_believes_the_end_wherever_it_stands(self, bench: Bench) -> None:
        """What changed later stands behind it, and by compaction so may all the rest."""
        await bench.end_publication()
        await bench.publish(a_terminal(1), 1)
        async with bench.following():
            await within(bench.follower.filled())

        assert bench.view.is_current(NOW_MS)

    async def test_is_empty_whatever_was_said(self, bench: Bench) -> None:
        """An end without any entity makes no registry."""
        await bench.end_publication()
        async with bench.following():
            await bench.until(lambda: len(bench.reports) > 2)

            assert "is empty" in str(bench.reports[-1])
            assert not bench.is_filled

    async def test_asks_a_new_log_for_its_own_end(self, bench: Bench) -> None:
        """A log that took the place of a whole one is half published until it says otherwise."""
        await bench.publish(a_terminal(1), 1)
        await bench.end_publication()
        async with bench.following():
            await within(bench.follower.filled())
            await bench.bus.forget()
            await bench.publish(a_terminal(2), 1)
            await bench.until(bench.says_partly)
            bench.clock.advance(5_001)
            half = bench.view.is_current(bench.clock.now_ms())

            await bench.end_publication()
            await bench.until(lambda: bench.view.is_current(bench.clock.now_ms()))

        assert not half


class TestFollow:
    async def test_takes_over_a_change(self, bench: Bench) -> None:
        """A terminal that is paused later is paused here without a restart."""
        await bench.publish(a_terminal(), 1)
        await bench.end_publication()
        async with bench.following():
            await within(bench.follower.filled())
            paused = a_terminal(status=EntityStatus.PAUSED)

            await bench.publish(paused, 2)
            await bench.until(lambda: bench.view.terminal("LSK00001") == paused)

    async def test_skips_records_that_cannot_be_read(self, bench: Bench) -> None:
        """Broken records are counted and stop nobody."""
        lost = write_change(a_terminal(1), version=1, changed_ms=0)
        lost.entity = "terminal/LSK00009"
        await bench.publish_bytes(b"garbage", b"\xff\xff\xff")
        await bench.publish_bytes(b"wrong", lost.SerializeToString())
        await bench.publish(a_terminal(2), 1)
        await bench.end_publication()

        async with bench.following():
            await within(bench.follower.filled())

        assert 2 == bench.follower.skipped
        assert bench.view.terminal("LSK00002") is not None

    async def test_stays_current_while_the_bus_answers(self, bench: Bench) -> None:
        """An hour without any change is no reason to refuse money."""
        await bench.publish(a_terminal(), 1)
        await bench.end_publication()
        async with bench.following():
            await within(bench.follower.filled())

            bench.clock.advance(3_600_000)
            await bench.until(lambda: bench.view.is_current(bench.clock.now_ms()))

    async def test_is_no_longer_current_when_the_bus_is_away(self, bench: Bench) -> None:
        """Nothing taken from a bus that does not answer proves nothing: after 5 s it is too old."""
        await bench.publish(a_terminal(), 1)
        await bench.end_publication()
        async with bench.following():
            await within(bench.follower.filled())
            bench.bus.is_down = True
            await bench.until(lambda: bench.reports[-1] is not None)

            bench.clock.advance(5_001)
            await asyncio.sleep(0.05)

            assert not bench.view.is_current(bench.clock.now_ms())
            assert bench.view.terminal("LSK00001") is not None

    async def test_reads_a_new_log_from_its_start(self, bench: Bench) -> None:
        """A bus that forgot everything is read anew; what was known stays known meanwhile."""
        await bench.publish(a_terminal(1), 1)
        await bench.end_publication()
        async with bench.following():
            await within(bench.follower.filled())

            await bench.bus.forget()
            await bench.publish(a_terminal(2), 1)
            await bench.until(lambda: bench.view.terminal("LSK00002") is not None)

        assert bench.view.terminal("LSK00001") is not None

    async def test_does_not_believe_a_clock_that_is_ahead(self) -> None:
        """The stamp of a record shows a little less than itself: brokers' clocks may be fast."""
        bench = Bench(wait_ms=60_000)
        await bench.bus.start()

        async with bench.following():
            await bench.publish(a_terminal(1), 1)
            await bench.end_publication()
            await bench.until(lambda: bench.view.is_current(NOW_MS))
            bench.clock.advance(4_001)

            assert not bench.view.is_current(bench.clock.now_ms())
        await bench.bus.stop()

    async def test_is_current_by_what_it_reads(self) -> None:
        """A topic that is never found empty shows by its own times how far it was read."""
        bench = Bench(wait_ms=60_000)
        await bench.bus.start()

        async with bench.following():
            await bench.publish(a_terminal(1), 1)
            await bench.end_publication()
            await bench.until(lambda: bench.view.is_current(NOW_MS))
            bench.clock.advance(5_001)
            assert not bench.view.is_current(bench.clock.now_ms())

            await bench.publish(a_terminal(1), 2)
            await bench.until(lambda: bench.view.is_current(bench.clock.now_ms()))
        await bench.bus.stop()
