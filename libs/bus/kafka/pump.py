"""Brings records from a consumer to a shelf, and replaces a consumer that brings none.

It always drains: aiokafka fetches nothing while records of an earlier fetch wait. Nothing is put on
the shelf before the cluster was seen to be the same since.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import (
    ConsumerStoppedError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from aiokafka.structs import TopicPartition

from libs.bus.faults import BusUnavailable, LogReplaced, TopicUnknown
from libs.bus.kafka.producer import HEADER
from libs.bus.kafka.shelf import Shelf
from libs.bus.kafka.source import Source, Stamps, Surroundings
from libs.bus.kafka.stall import StallGuard
from libs.bus.port import Record
from libs.outcome import Fault

_RETRY_SECONDS: Final = 0.25
_SLACK_SECONDS: Final = 0.5

Fetched = Mapping[TopicPartition, Sequence[Any]]


class Pump:
    """One task for the life of a reader."""

    def __init__(self, source: Source, shelf: Shelf, around: Surroundings) -> None:
        self._source = source
        self._shelf = shelf
        self._watch, self._closer, _, self._limits = around
        self._guard = StallGuard(around.clock, stuck_ms=around.limits.stuck_ms)
        self._consumer: AIOKafkaConsumer | None = None
        self._task: asyncio.Task[None] | None = None
        self._drained: Stamps = {}
        self._looked = asyncio.Event()
        self._log = structlog.get_logger("libs.bus.kafka")
        self.problem: str | None = None
        self.replaced = 0

    async def start(self) -> None:
        """Open the first consumer; raises what the source raises."""
        self._consumer = await self._source.open()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End, under the closer's time limit."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self._source.close()
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await asyncio.wait({self._closer.end_consumer(consumer)})

    def stamps(self) -> Stamps:
        """Return when each partition held now was last heard of."""
        if self._consumer is None:
            return {}
        held = self._consumer.assignment()
        return {place: self._consumer.last_poll_timestamp(place) for place in held}

    async def prove(self, before: Stamps) -> bool:
        """Tell whether, since ``before``, every partition held was heard to have no more.

        Waits ``proof_ms`` for that; a proof takes no longer than a fetch that finds nothing.
        """
        try:
            async with asyncio.timeout(self._limits.proof_ms / 1000):
                while not self._is_proved(before):
                    if self._shelf.has_any:
                        return True
                    await self._looked.wait()
        except TimeoutError:
            return False
        return True

    def _is_proved(self, before: Stamps) -> bool:
        if self._consumer is None or self.problem is not None:
            return False
        if self._source.is_joining:
            return True  # It has no partitions that could have anything.
        drained = self._drained
        for place in self._consumer.assignment():
            stamp = drained.get(place)
            if stamp is None or stamp == before.get(place):
                return False
        return True

    async def _run(self) -> None:
        while True:
            fault: Fault | None = None
            try:
                if self._consumer is None:
                    self._consumer = await self._source.open()
                self._guard.reset()
                await self._pump(self._consumer)
            except LogReplaced as other:
                fault = self._start_over(other)
            except (BusUnavailable, TopicUnknown) as trouble:
                self.problem = str(trouble)
            except Fault as final:
                fault = final
            consumer, self._consumer = self._consumer, None
            if consumer is not None:
                self._closer.end_consumer(consumer)
            if fault is not None:
                self._shelf.end(fault)
                return
            await asyncio.sleep(_RETRY_SECONDS)

    def _start_over(self, other: LogReplaced) -> Fault | None:
        known = self._watch.known(other.topic)
        if known is None:
            return None
        self._shelf.clear()
        self._log.warning("topic_replaced", topic=other.topic, log=known.id)
        return self._source.replaced(known.id)

    async def _pump(self, consumer: AIOKafkaConsumer) -> None:
        """Fetch until something is wrong: raises BusUnavailable to be called with another one."""
        while True:
            await self._shelf.wait_for_room()
            fetched = await self._fetch(consumer, self._limits.fetch_wait_ms)
            if fetched:
                await self._accept(fetched)
            else:
                await self._look_around(consumer)

    async def _accept(self, fetched: Fetched) -> None:
        """Put on the shelf what is surely of our log and of partitions that are still ours."""
        source = self._source
        turn = source.turn
        if not self._watch.is_same(source.topic, source.log):
            await self._wait_until_same()
        await source.settled()
        if turn == source.turn:
            for place, records in fetched.items():
                self._put(place, records)

    async def _fetch(self, consumer: AIOKafkaConsumer, wait_ms: int) -> Fetched:
        try:
            # While a group deals out partitions this would wait without end.
            async with asyncio.timeout(wait_ms / 1000 + _SLACK_SECONDS):
                fetched: Fetched = await consumer.getmany(timeout_ms=wait_ms)
                return fetched
        except TimeoutError:
            return {}
        except OffsetOutOfRangeError as error:
            await self._check_same()
            reached = {place.partition: offset for place, offset in error.args[0].items()}
            if (fault := await self._source.out_of_range(consumer, reached)) is not None:
                raise fault from None
            return {}
        except NoOffsetForPartitionError as error:
            await self._check_same()
            await self._source.without_position(consumer, error.args[0].partition)
            return {}
        except (KafkaError, ConsumerStoppedError) as error:
            raise self._replaces(type(error).__name__) from None

    async def _look_around(self, consumer: AIOKafkaConsumer) -> None:
        """Check, with nothing to do, that the log is the same and every partition is heard of."""
        stamps = self.stamps()
        again = await self._fetch(consumer, 0)
        # What had been answered by then was given out: this is how we know that there is no more.
        if again:
            await self._accept(again)
            return
        is_same = self._watch.is_same(self._source.topic, self._source.log)
        if is_same:
            self._drained = stamps
            looked, self._looked = self._looked, asyncio.Event()
            looked.set()
            self.problem = None
        else:
            self.problem = self._watch.problem(self._source.topic)
        if self._source.is_left_out:
            raise self._replaces("no partitions were dealt out")
        if await self._guard.is_stuck(consumer, stamps, is_well=is_same):
            raise self._replaces("stuck")

    def _replaces(self, why: str) -> BusUnavailable:
        self.replaced += 1
        self._log.warning("consumer_replaced", topic=self._source.topic, reason=why)
        return BusUnavailable(f"the consumer of {self._source.topic} is replaced: {why}")

    async def _check_same(self) -> None:
        await self._watch.ask([self._source.topic])
        await self._wait_until_same()

    async def _wait_until_same(self) -> None:
        while not self._watch.is_same(self._source.topic, self._source.log):
            self.problem = self._watch.problem(self._source.topic)
            await self._watch.next_look()
        self.problem = None

    def _put(self, place: TopicPartition, records: Sequence[Any]) -> None:
        topic, partition = place
        self._source.read_to(partition, records[-1].offset + 1)
        self._shelf.put(
            partition,
            [
                Record(
                    topic,
                    partition,
                    record.offset,
                    record.key or b"",
                    record.value or b"",
                    _envelope(record.headers),
                    record.timestamp,
                )
                for record in records
            ],
        )


def _envelope(headers: Sequence[tuple[str, bytes]]) -> bytes:
    for name, value in headers:
        if name == HEADER:
            return value
    return b""
