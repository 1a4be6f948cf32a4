"""Topics on Kafka brokers, behind the port; aiokafka's exceptions end here."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from libs.bus.faults import BusUnavailable, TopicUnknown
from libs.bus.kafka.assigned import AssignedSource
from libs.bus.kafka.closing import Closer
from libs.bus.kafka.consumers import find_bounds, make_consumer
from libs.bus.kafka.membership import GroupSource
from libs.bus.kafka.producer import ReplaceableProducer
from libs.bus.kafka.pump import Pump
from libs.bus.kafka.reader import KafkaReader
from libs.bus.kafka.settings import KafkaLimits, KafkaSettings
from libs.bus.kafka.shelf import Shelf
from libs.bus.kafka.source import Source, Surroundings
from libs.bus.kafka.watch import ClusterWatch
from libs.bus.port import Assigned, Outgoing, TopicInfo
from libs.clock import Clock

_METADATA_MS: Final = 10_000
_RETRY_MS: Final = 50
_REQUEST_BYTES_MAX: Final = 1_000_000


class KafkaBus:
    """For one event loop. ``client`` names us to the brokers.

    Whatever happens to a broker, it goes on by itself once one is there: publishers and readers
    hear BusUnavailable or SendUnknown until then. It makes no topic.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        clock: Clock,
        *,
        client: str,
        limits: KafkaLimits | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._client = client
        self._limits = limits or KafkaLimits()
        self._closer = Closer(close_ms=self._limits.close_ms)
        self._watch = ClusterWatch(settings, clock, client=client, limits=self._limits)
        self._producer = ReplaceableProducer(
            self._make_producer, clock, self._closer, limits=self._limits
        )
        # Another cluster deals out producer ids anew: ours may be somebody else's there.
        self._watch.on_other_cluster = partial(self._producer.replace, "other cluster")
        self._around = Surroundings(self._watch, self._closer, clock, self._limits)
        self._readers: set[KafkaReader] = set()
        self._is_open = False

    @property
    def producers_replaced(self) -> int:
        """How often the producer was stuck or could not be trusted any more."""
        return self._producer.replaced

    @property
    def clock_skew_ms(self) -> int:
        """How far our clock is ahead of the brokers' for sure, negative: behind; 0: not proven."""
        return self._producer.skew.ms

    async def start(self) -> None:
        """Connect; raises BusUnavailable, and may be called again then."""
        # At DEBUG it writes records, and at a broken line the same complaint many times a second.
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
        try:
            await self._watch.start()
            await self._producer.start()
        except BusUnavailable:
            await self._watch.stop()
            await self._closer.join()
            raise
        self._is_open = True

    async def stop(self) -> None:
        """Close readers and connections, each under a time limit."""
        self._is_open = False
        for reader in list(self._readers):
            await reader.close()
        await self._producer.stop()
        await self._watch.stop()
        await self._closer.join()

    async def publish(self, records: Sequence[Outgoing], *, timeout_ms: int) -> None:
        """Append all records; nothing is sent when one names a topic that is not there."""
        if not records:
            return
        self._check_open()
        deadline_ms = self._clock.monotonic_ms() + timeout_ms
        if not self._watch.is_fresh:
            # Nothing goes to a broker that may have come back as another: our producer's id would
            # be somebody else's there, and our records could be taken for repeats of theirs.
            await self._watch.until_fresh(timeout_ms=timeout_ms)
        for topic, number in {(record[0], record[1]) for record in records}:
            info = self._watch.known(topic)
            if info is None or not 0 <= number < info.partitions:
                await self._learn(topic, number, timeout_ms)
        await self._producer.send(records, deadline_ms=deadline_ms)

    async def topic(self, name: str) -> TopicInfo:
        """Ask a broker, each time; raises TopicUnknown and BusUnavailable."""
        self._check_open()
        state = await self._watch.ask([name])
        if name in state.unsure:
            raise BusUnavailable(f"the brokers cannot tell now of topic {name}")
        if name not in state.topics:
            raise TopicUnknown(name)
        return state.topics[name]

    async def bounds(self, name: str) -> Mapping[int, tuple[int, int]]:
        """Ask the brokers where each log begins and ends; raises TopicUnknown, BusUnavailable."""
        info = await self.topic(name)
        places = [TopicPartition(name, number) for number in range(info.partitions)]
        consumer = self._make_consumer()
        try:
            async with asyncio.timeout(self._limits.start_ms / 1000):
                await consumer.start()
            found = await find_bounds(consumer, places, limit_ms=self._limits.start_ms)
        except (KafkaError, OSError, TimeoutError) as trouble:
            message = f"nobody tells where {name} begins and ends ({type(trouble).__name__})"
            raise BusUnavailable(message) from None
        finally:
            self._closer.end_consumer(consumer)
        return {place.partition: (first, end) for place, (first, end) in found.items()}

    async def open_group_reader(
        self, topic: str, *, group: str, member: str = "", assigned: Assigned | None = None
    ) -> KafkaReader:
        """Join the group ``<group>.<topic>.<id of its log>``; returns when it has dealt out."""
        info = await self.topic(topic)
        shelf = self._make_shelf()
        source = GroupSource(
            topic,
            info.id,
            lambda log: self._make_consumer(group=f"{group}.{topic}.{log}", member=member),
            shelf,
            self._around,
            assigned=assigned,
        )
        return await self._open(source, shelf)

    async def open_reader(self, topic: str, *, starts: Mapping[int, int | None]) -> KafkaReader:
        """Read these partitions; raises TopicUnknown for one that is not there."""
        return await self._open_assigned(topic, starts, is_tail=False)

    async def open_tail_reader(self, topic: str, *, partition: int) -> KafkaReader:
        """Read one partition from its end; whatever is lost of the log, it goes on."""
        return await self._open_assigned(topic, {partition: None}, is_tail=True)

    async def _open_assigned(
        self, topic: str, starts: Mapping[int, int | None], *, is_tail: bool
    ) -> KafkaReader:
        info = await self.topic(topic)
        for number in starts:
            if not 0 <= number < info.partitions:
                raise TopicUnknown(topic, number)
        make = self._make_consumer
        source = AssignedSource(topic, info.id, starts, make, self._around, is_tail=is_tail)
        return await self._open(source, self._make_shelf())

    async def _open(self, source: Source, shelf: Shelf) -> KafkaReader:
        pump = Pump(source, shelf, self._around)

        def closed(reader: KafkaReader) -> None:
            self._readers.discard(reader)
            self._watch.leave(source.topic)

        self._watch.follow(source.topic)
        is_open = False
        try:
            await pump.start()
            is_open = True
        finally:
            if not is_open:
                self._watch.leave(source.topic)
        reader = KafkaReader(source, shelf, pump, self._clock, closed=closed)
        self._readers.add(reader)
        source.tell_assigned()
        return reader

    async def _learn(self, topic: str, number: int, timeout_ms: int) -> None:
        """Ask for a topic before its first record; raises what makes it impossible."""
        has_vanished = self._watch.has_vanished(topic)
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                info = await self.topic(topic)
        except TimeoutError:
            raise BusUnavailable(f"nobody told in time what topic {topic} is") from None
        except TopicUnknown:
            if has_vanished:  # Made anew soon; a loop must not bury its records for that.
                raise BusUnavailable(self._watch.problem(topic)) from None
            raise
        if not 0 <= number < info.partitions:
            raise TopicUnknown(topic, number)
        self._watch.follow(topic)

    def _make_shelf(self) -> Shelf:
        return Shelf(records_max=self._limits.waiting_records_max)

    def _make_consumer(self, *, group: str | None = None, member: str = "") -> AIOKafkaConsumer:
        return make_consumer(
            self._settings, self._limits, client=self._client, group=group, member=member
        )

    def _make_producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self._settings.bootstrap,
            client_id=self._client,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=self._limits.batch_bytes,
            max_request_size=_REQUEST_BYTES_MAX,
            request_timeout_ms=self._limits.request_ms,
            metadata_max_age_ms=_METADATA_MS,
            retry_backoff_ms=_RETRY_MS,
            **self._settings.security(),
        )

    def _check_open(self) -> None:
        if not self._is_open:
            raise BusUnavailable("the Kafka bus is not started or was stopped")
