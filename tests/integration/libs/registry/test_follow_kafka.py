"""Following the registry on a real Kafka that goes away, comes back, and comes back empty."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress

import pytest

from libs.bus import Outgoing, TopicSettings
from libs.bus.kafka.admin import apply_topics
from libs.bus.kafka.bus import KafkaBus
from libs.bus.kafka.local_broker import LocalBroker
from libs.bus.kafka.settings import KafkaSettings
from libs.clock import SystemClock
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

PATIENCE_S = 60
ENTRIES = 3_000


class Bench:
    """A follower on Kafka; the clock by which it judges its age is moved by the test."""

    def __init__(self, broker: LocalBroker) -> None:
        self.settings = KafkaSettings(bootstrap=broker.bootstrap)
        self.bus = KafkaBus(self.settings, SystemClock(), client="tests")
        self.clock = FixedClock(SystemClock().now_ms())
        self.view = RegistryView()
        self.problem: str | None = None
        self.follower = RegistryFollower(
            bus=self.bus,
            view=self.view,
            clock=self.clock,
            report=self._report,
            wait_ms=1,  # Shorter than any fetch: only a proof may end the filling.
            retry_ms=50,
        )

    async def make_topic(self) -> None:
        """Make the registry's topic where it is not."""
        await apply_topics(self.settings, {REGISTRY: TopicSettings(partitions=1, compacted=True)})

    async def publish(self, entries: list[Entry], version: int) -> None:
        """Publish as admin does, up to the record that ends a full publication."""
        changes = [write_change(entry, version=version, changed_ms=1) for entry in entries]
        records = [
            Outgoing(REGISTRY, 0, entity_of(entry).encode(), change.SerializeToString(), b"")
            for entry, change in zip(entries, changes, strict=True)
        ]
        await self.bus.publish(records, timeout_ms=30_000)

    async def end_publication(self) -> None:
        """Say that all stands in the log that the topic is now."""
        ended = write_published((await self.bus.topic(REGISTRY)).id, entities=ENTRIES)
        record = Outgoing(REGISTRY, 0, ended.entity.encode(), ended.SerializeToString(), b"")
        await self.bus.publish([record], timeout_ms=30_000)

    @property
    def is_current(self) -> bool:
        """Tell whether the registry is young enough for new money."""
        return self.view.is_current(self.clock.monotonic_ms())

    async def until(self, is_true: Callable[[], bool]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_true():  # noqa: ASYNC110 -- the view has no event, by design
                await asyncio.sleep(0.01)

    def _report(self, problem: str | None) -> None:
        self.problem = problem


@pytest.fixture
async def broker(
    start_own_broker: Callable[[], AbstractAsyncContextManager[LocalBroker]],
) -> AsyncIterator[LocalBroker]:
    async with start_own_broker() as broker:
        yield broker


async def test_is_current_only_while_kafka_proves_it(broker: LocalBroker) -> None:
    """Whole before it is ready; too old 5 s after Kafka went; well again by itself, twice."""
    bench = Bench(broker)
    await bench.make_topic()
    await bench.bus.start()
    await bench.publish([a_terminal(number) for number in range(1, ENTRIES + 1)], 1)
    following = asyncio.create_task(bench.follower.run())
    await bench.until(lambda: "does not hold all" in str(bench.problem))
    while_partly = bench.is_current
    await bench.end_publication()
    await asyncio.wait_for(bench.follower.filled(), PATIENCE_S)
    known = len(bench.view.versions)

    await broker.kill()
    await bench.until(lambda: bench.problem is not None)
    bench.clock.advance(5_001)
    while_away = bench.is_current
    await broker.start()
    await bench.until(lambda: bench.is_current)

    await broker.begin_again()
    bench.clock.advance(5_001)
    while_empty = bench.is_current
    await bench.make_topic()
    paused = a_terminal(1, status=EntityStatus.PAUSED)
    await bench.publish([paused], 2)
    await bench.until(lambda: bench.view.terminal("LSK00001") == paused)
    while_partly |= bench.is_current
    await bench.end_publication()
    await bench.until(lambda: bench.is_current and bench.problem is None)

    following.cancel()
    with suppress(asyncio.CancelledError):
        await following
    await bench.bus.stop()
    assert (ENTRIES, False, False, False) == (known, while_partly, while_away, while_empty)
    assert ENTRIES == len(bench.view.versions)
