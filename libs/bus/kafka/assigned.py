"""Partitions that were asked for, without a group; positions are kept by whoever acknowledges."""

import asyncio
from collections.abc import Callable, Mapping

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from libs.bus.faults import BusUnavailable, LogGap, LogReplaced, LogTailLost
from libs.bus.kafka.consumers import find_bounds
from libs.bus.kafka.source import Surroundings
from libs.outcome import Fault


class AssignedSource:
    """These partitions from these offsets; None: from the earliest, of a tail from the end."""

    turn = 0
    is_joining = False
    is_left_out = False

    def __init__(
        self,
        topic: str,
        log: str,
        starts: Mapping[int, int | None],
        make: Callable[[], AIOKafkaConsumer],
        around: Surroundings,
        *,
        is_tail: bool,
    ) -> None:
        self.topic = topic
        self.log = log
        self._next = dict(starts)
        self._make = make
        self._closer = around.closer
        self._is_tail = is_tail
        self._begins_at_end = is_tail
        self._limits = around.limits

    async def open(self) -> AIOKafkaConsumer:
        """Return a consumer that stands behind what was read."""
        consumer = self._make()
        is_open = False
        try:
            async with asyncio.timeout(self._limits.start_ms / 1000):
                await consumer.start()
                await self._find_starts(consumer)
            # Without a pause between: the fetcher would look for a committed position.
            consumer.assign([self._place(partition) for partition in self._next])
            for partition, offset in self._next.items():
                consumer.seek(self._place(partition), offset)
            is_open = True
        except (KafkaError, OSError, TimeoutError) as trouble:
            message = f"Kafka gives us no consumer of {self.topic} ({type(trouble).__name__})"
            raise BusUnavailable(message) from None
        finally:
            if not is_open:
                self._closer.end_consumer(consumer)
        return consumer

    async def settled(self) -> None:
        """Return at once."""

    def read_to(self, partition: int, offset: int) -> None:
        """Note where to go on with another consumer."""
        self._next[partition] = offset

    def acknowledge(self, through: Mapping[int, int]) -> None:
        """Do nothing: whoever reads without a group keeps positions elsewhere."""

    async def out_of_range(
        self, consumer: AIOKafkaConsumer, reached: Mapping[int, int]
    ) -> Fault | None:
        """Return the fault; only a tail, which has no past, goes on where the log is."""
        places = [self._place(partition) for partition in self._next]
        bounds = await find_bounds(consumer, places, limit_ms=self._limits.start_ms)
        fault: LogGap | None = None
        ends: dict[int, int] = {}
        for place, (first, end) in bounds.items():
            partition, position = place.partition, self._next[place.partition] or 0
            if position < first:
                fault = fault or LogGap(self.topic, partition, position, first - 1)
                reached = {**reached, partition: first}
            elif position > end:
                ends[partition] = end
                reached = {**reached, partition: end}
        if fault is None and ends:
            positions = {partition: self._next[partition] or 0 for partition in ends}
            fault = LogTailLost(self.topic, positions, ends)
        if fault is None or not self._is_tail:
            return fault
        log = structlog.get_logger("libs.bus.kafka")
        log.warning("tail_moved", topic=self.topic, problem=str(fault))
        for partition, offset in reached.items():
            self._next[partition] = offset
            consumer.seek(self._place(partition), offset)
        return None

    async def without_position(self, consumer: AIOKafkaConsumer, partition: int) -> None:
        """Give it the one that we know."""
        consumer.seek(self._place(partition), self._next[partition])

    def replaced(self, log: str) -> Fault | None:
        """Return the fault; a tail reads all that is in the new log."""
        if not self._is_tail:
            return LogReplaced(self.topic)
        self.log = log
        self._next = dict.fromkeys(self._next)
        return None

    def tell_assigned(self) -> None:
        """Do nothing: partitions stay."""

    async def close(self) -> None:
        """Do nothing: nothing is stored."""

    async def _find_starts(self, consumer: AIOKafkaConsumer) -> None:
        unknown = [self._place(n) for n, offset in self._next.items() if offset is None]
        if not unknown:
            return
        bounds = await find_bounds(consumer, unknown, limit_ms=self._limits.start_ms)
        for place, (first, end) in bounds.items():
            self._next[place.partition] = end if self._begins_at_end else first
        self._begins_at_end = False

    def _place(self, partition: int) -> TopicPartition:
        return TopicPartition(self.topic, partition)
