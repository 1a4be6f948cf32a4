"""Following the registry: filled before ready, then live; whatever happens to the bus."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from libs.bus import BusUnavailable, MemoryBus, Outgoing, Record, TopicInfo, TopicSettings
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
    def is_current(self) -> bool:
        """Tell whether the registry is young enough for new money."""
        return self.view.is_current(self.clock.monotonic_ms())

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

    async def all_records(self) -> list[Record]:
        """Return what stands in the log."""
        reader = await self.bus.open_reader(REGISTRY, starts={0: None})
        taken = await reader.take(wait_ms=0, records_max=100)
        await reader.close()
        return list(taken[0])

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
        assert bench.is_current

    async def test_is_not_ready_while_the_topic_is_empty(self, bench: Bench) -> None:
        """Where admin has said nothing yet, what is unknown may exist: trouble, and it says so."""
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
            half = (bench.is_filled, bench.is_current)

            await bench.publish(a_terminal(1_501), 1)
            await bench.end_publication()
            await within(bench.follower.filled())

        assert (False, False) == half
        assert bench.reports[-1] is None
        assert bench.is_current

    async def test_does_not_believe_the_end_of_another_log(self, bench: Bench) -> None:
        """A record that names a log of before says nothing about this one."""
        await bench.publish(a_terminal(1), 1)
        await bench.end_publication("a log of before")
        async with bench.following():
            await bench.until(bench.says_partly)

            assert not bench.is_filled
            assert not bench.is_current
            await bench.end_publication()
            await within(bench.follower.filled())

    async def test_believes_the_end_wherever_it_stands(self, bench: Bench) -> None:
        """What changed later stands behind it, and by compaction so may all the rest."""
        await bench.end_publication()
        await bench.publish(a_terminal(1), 1)
        async with bench.following():
            await within(bench.follower.filled())

        assert bench.is_current

    async def test_is_whole_where_there_is_nothing_yet(self, bench: Bench) -> None:
        """A new switch has no outlet; admin says so, and what is added comes behind."""
        await bench.end_publication()
        async with bench.following():
            await within(bench.follower.filled())
            was_current = bench.is_current
            await bench.publish(a_terminal(1), 1)
            await bench.until(lambda: bench.view.terminal("LSK00001") is not None)

        assert was_current
        assert bench.reports[-1] is None

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
            half = bench.is_current

            await bench.end_publication()
            await bench.until(lambda: bench.is_current)

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
            await bench.until(lambda: bench.is_current)

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

            assert not bench.is_current
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
            await bench.until(lambda: bench.is_current)
            bench.clock.advance(4_001)

            assert not bench.is_current
        await bench.bus.stop()

    async def test_is_current_by_what_it_reads(self) -> None:
        """A topic that is never found empty shows by its own times how far it was read."""
        bench = Bench(wait_ms=60_000)
        await bench.bus.start()

        async with bench.following():
            await bench.publish(a_terminal(1), 1)
            await bench.end_publication()
            await bench.until(lambda: bench.is_current)
            bench.clock.advance(5_001)
            assert not bench.is_current

            await bench.publish(a_terminal(1), 2)
            await bench.until(lambda: bench.is_current)
        await bench.bus.stop()


TEN_MINUTES_MS = 600_000


class TestSteppedClock:
    @pytest.mark.parametrize("step_ms", [-TEN_MINUTES_MS, TEN_MINUTES_MS])
    async def test_does_not_keep_a_dead_registry_current(self, bench: Bench, step_ms: int) -> None:
        """A wall clock that is set while the bus is away makes nothing young again."""
        await bench.publish(a_terminal(), 1)
        await bench.end_publication()
        async with bench.following():
            await within(bench.follower.filled())
            bench.bus.is_down = True
            await bench.until(lambda: bench.reports[-1] is not None)

            bench.clock.jump_to(NOW_MS + step_ms)
            at_once = bench.is_current
            bench.clock.advance(5_001)

            assert (True, False) == (at_once, bench.is_current)

    async def test_is_dead_also_when_the_clock_was_ahead_before(self, bench: Bench) -> None:
        """What was shown under a clock ten minutes ahead is as old as it is once that is mended."""
        bench.clock.jump_to(NOW_MS + TEN_MINUTES_MS)
        await bench.publish(a_terminal(), 1)
        await bench.end_publication()
        async with bench.following():
            await within(bench.follower.filled())
            bench.bus.is_down = True
            await bench.until(lambda: bench.reports[-1] is not None)

            bench.clock.jump_to(NOW_MS)
            bench.clock.advance(5_001)

            assert not bench.is_current

    @pytest.mark.parametrize("step_ms", [-TEN_MINUTES_MS, TEN_MINUTES_MS])
    async def test_keeps_a_living_registry_current(self, bench: Bench, step_ms: int) -> None:
        """A bus that answers shows the end of the log under whatever wall clock."""
        await bench.publish(a_terminal(), 1)
        await bench.end_publication()
        async with bench.following():
            await within(bench.follower.filled())

            bench.clock.jump_to(NOW_MS + step_ms)
            at_once = bench.is_current
            bench.clock.advance(5_001)
            await bench.until(lambda: bench.is_current)

        assert at_once

    @pytest.mark.parametrize("step_ms", [-TEN_MINUTES_MS, TEN_MINUTES_MS])
    async def test_does_not_take_old_news_for_new(self, step_ms: int) -> None:
        """A record ten minutes old proves nothing to a host whose clock was just set back by ten.

        Nor does one from before a step forward; the next empty take does.
        """
        bench = Bench()
        await bench.bus.start()
        await bench.publish(a_terminal(1), 1)
        await bench.end_publication()
        async with bench.following():
            await within(bench.follower.filled())
        old = await bench.all_records()
        bench.clock.advance(TEN_MINUTES_MS)
        bench.clock.jump_to(bench.clock.now_ms() + step_ms)

        bench.follower._apply({0: old}, (await bench.bus.topic(REGISTRY)).id)
        by_old_news = bench.is_current
        async with bench.following():
            await bench.until(lambda: bench.is_current)

        await bench.bus.stop()
        assert not by_old_news

    async def test_does_not_believe_what_comes_out_of_the_future(self) -> None:
        """A stamp far ahead of our clock shows that a clock is wrong, not that all is read."""
        bench = Bench()
        await bench.bus.start()
        await bench.publish(a_terminal(1), 1)
        await bench.end_publication()
        async with bench.following():
            await within(bench.follower.filled())
        records = await bench.all_records()
        ahead = [one._replace(appended_ms=one.appended_ms + 2 * TEN_MINUTES_MS) for one in records]
        bench.clock.advance(TEN_MINUTES_MS)

        bench.follower._apply({0: ahead}, (await bench.bus.topic(REGISTRY)).id)

        await bench.bus.stop()
        assert not bench.is_current
