"""Partitions that a group gives us: positions are the group's, stored lazily and at the end."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import IllegalOperation, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from libs.bus.faults import BusUnavailable, LogGap, LogReplaced, LogTailLost
from libs.bus.kafka.consumers import find_bounds, find_offset
from libs.bus.kafka.shelf import Shelf
from libs.bus.kafka.source import Surroundings
from libs.bus.port import Assigned
from libs.outcome import Fault

_AGAIN_MS: Final = 60_000


class GroupSource:
    """All that the group gives us of one topic.

    Each log has a group of its own: a member that joined an empty broker before the topic was there
    may have been given nothing, and one that comes back under the same name is given that again.
    Acknowledgements count only for the partitions that whoever takes was told of, so that nothing
    of a revoked one is stored, also when it comes back to us.
    """

    def __init__(
        self,
        topic: str,
        log: str,
        make: Callable[[str], AIOKafkaConsumer],
        shelf: Shelf,
        around: Surroundings,
        *,
        assigned: Assigned | None,
    ) -> None:
        self.topic = topic
        self.log = log
        self.turn = 0
        self._make = make
        self._shelf = shelf
        self._watch, self._closer, self._clock, self._limits = around
        self._assigned = assigned
        self._consumer: AIOKafkaConsumer | None = None
        self._held: frozenset[int] | None = None
        self._dealt_out = asyncio.Event()
        self._joining_since_ms = 0
        self._told_turn = -1
        self._handled: dict[int, int] = {}
        self._stored: dict[int, int] = {}
        self._storing: asyncio.Task[bool] | None = None
        self._storing_on: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("libs.bus.kafka")

    @property
    def is_joining(self) -> bool:
        """Tell whether partitions are being dealt out."""
        return self._held is None

    @property
    def is_left_out(self) -> bool:
        """Tell whether that takes longer than ``join_ms``."""
        waited_ms = self._clock.monotonic_ms() - self._joining_since_ms
        return self._held is None and waited_ms > self._limits.join_ms

    async def open(self) -> AIOKafkaConsumer:
        """Return a consumer that has been given partitions, or none because others have them."""
        self._give_up()
        consumer = self._consumer = self._make(self.log)
        is_open = False
        try:
            consumer.subscribe([self.topic], listener=_Listener(self, consumer))
            async with asyncio.timeout(self._limits.join_ms / 1000):
                await consumer.start()
                await self.settled()
            is_open = True
        except (KafkaError, OSError, TimeoutError) as trouble:
            message = f"the group of {self.topic} gives us nothing ({type(trouble).__name__})"
            raise BusUnavailable(message) from None
        finally:
            if not is_open:
                self._closer.end_consumer(consumer)
        if self._storing_on is None:
            self._storing_on = asyncio.create_task(self._store_on())
        return consumer

    async def settled(self) -> None:
        """Wait until partitions have been dealt out."""
        while self._held is None:
            await self._dealt_out.wait()

    def read_to(self, partition: int, offset: int) -> None:
        """Do nothing: another consumer goes on where the group's position is."""

    def acknowledge(self, through: Mapping[int, int]) -> None:
        """Note what was handled of the partitions that are still the same ones."""
        if self._held is None or self._told_turn != self.turn:
            return
        for partition, offset in through.items():
            if partition in self._held and offset >= self._handled.get(partition, -1):
                self._handled[partition] = offset + 1

    async def out_of_range(
        self, consumer: AIOKafkaConsumer, reached: Mapping[int, int]
    ) -> Fault | None:
        """Go on where the log is when its tail was lost; before its start is a gap.

        All that was left of it is handled, but new records may have been added before we looked:
        so the last minute comes again.
        """
        places = [TopicPartition(self.topic, partition) for partition in reached]
        bounds = await find_bounds(consumer, places, limit_ms=self._limits.start_ms)
        for place, (first, end) in bounds.items():
            position = reached[place.partition]
            if position < first:
                return LogGap(self.topic, place.partition, position, first - 1)
            if position > end:
                fault = LogTailLost(self.topic, {place.partition: position}, {place.partition: end})
                self._log.warning("log_tail_lost", topic=self.topic, problem=str(fault))
                self._handled.pop(place.partition, None)
                since_ms = self._clock.now_ms() - _AGAIN_MS
                start = await find_offset(
                    consumer, place, since_ms=since_ms, limit_ms=self._limits.start_ms
                )
                if place in consumer.assignment():
                    consumer.seek(place, end if start is None else start)
        return None

    async def without_position(self, consumer: AIOKafkaConsumer, partition: int) -> None:
        """Begin at the earliest record."""
        await self._begin(consumer, [TopicPartition(self.topic, partition)])

    def replaced(self, log: str) -> Fault | None:
        """Read the new log from its start, as the group of that log."""
        self.log = log
        return None

    def tell_assigned(self) -> None:
        """Tell what is held if that was dealt out anew; for whoever takes, between its batches."""
        if self._held is not None and self._told_turn != self.turn:
            self._told_turn = self.turn
            if self._assigned is not None:
                self._assigned(self._held)

    async def close(self) -> None:
        """Store what was acknowledged."""
        if self._storing_on is not None:
            self._storing_on.cancel()
            await asyncio.wait({self._storing_on})
        await self._store_now()
        self._give_up()

    async def revoked(self, consumer: AIOKafkaConsumer) -> None:
        """Let go of what is held; the group waits for us to store what was handled of it."""
        if consumer is self._consumer:
            handled = dict(self._handled)
            self._give_up()
            await self._store_now(handled)

    async def dealt_out(self, consumer: AIOKafkaConsumer, held: Collection[TopicPartition]) -> None:
        """Hold what was given."""
        if consumer is not self._consumer:
            return
        self._held = frozenset(place.partition for place in held)
        self._dealt_out.set()
        self._shelf.stir()

    def _give_up(self) -> None:
        self.turn += 1
        self._held = None
        self._joining_since_ms = self._clock.monotonic_ms()
        self._dealt_out.clear()
        self._shelf.clear()
        self._handled.clear()
        self._stored.clear()

    async def _begin(self, consumer: AIOKafkaConsumer, places: Collection[TopicPartition]) -> None:
        try:
            async with asyncio.timeout(self._limits.start_ms / 1000):
                await consumer.seek_to_beginning(*places)
        except (KafkaError, TimeoutError):
            return  # Revoked meanwhile, or the fetcher asks us again.

    async def _store_on(self) -> None:
        while True:
            await asyncio.sleep(self._limits.commit_ms / 1000)
            if self._handled != self._stored:
                self._storing = asyncio.create_task(self._store(dict(self._handled)))
                await asyncio.wait({self._storing})

    async def _store_now(self, handled: Mapping[int, int] | None = None) -> None:
        if self._storing is not None and not self._storing.done():
            self._storing.cancel()  # It may be about to try again, with what is old by then.
            await asyncio.wait({self._storing})
        await self._store(dict(self._handled) if handled is None else handled)

    async def _store(self, handled: Mapping[int, int]) -> bool:
        consumer, turn = self._consumer, self.turn
        todo = {
            TopicPartition(self.topic, partition): OffsetAndMetadata(offset, "")
            for partition, offset in handled.items()
            if self._stored.get(partition) != offset
        }
        try:
            # A broker that came back empty might take positions of the log that is gone.
            if not todo or consumer is None or not self._watch.is_same(self.topic, self.log):
                return False
            async with asyncio.timeout(self._limits.close_ms / 1000):
                await consumer.commit(todo)
        except (KafkaError, IllegalOperation, TimeoutError, LogReplaced):
            return False  # It comes again, or whoever gets the partition reads it once more.
        if turn == self.turn:
            self._stored.update(handled)
        return True


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # -- is untyped
    """Hears of one consumer; aiokafka waits for what it does."""

    def __init__(self, source: GroupSource, consumer: AIOKafkaConsumer) -> None:
        self._source = source
        self._consumer = consumer

    async def on_partitions_revoked(self, _: Collection[TopicPartition]) -> None:
        """Before others may get them."""
        await self._source.revoked(self._consumer)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Once they are ours."""
        await self._source.dealt_out(self._consumer, assigned)
