"""Topics as Kafka keeps them, and the bus port on top; the world may hurt both."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from libs.bus import (
    BusUnavailable,
    LogReplaced,
    LogTailLost,
    SendUnknown,
    TopicSettings,
    TopicUnknown,
)
from libs.bus.faults import LogGap
from libs.bus.port import Assigned, Outgoing, Record, TopicInfo
from libs.clock import Clock
from tests.simulation.faults import Faults


class Log:
    """One partition."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.first = 0
        self.waiting: list[asyncio.Future[None]] = []

    @property
    def end(self) -> int:
        """Where the next record goes."""
        return self.first + len(self.records)

    def read(self, at: int, records_max: int) -> list[Record]:
        """Return records from an offset within the log on."""
        return self.records[at - self.first :][:records_max]

    def drop_before(self, offset: int) -> None:
        """Let the log begin here."""
        del self.records[: offset - self.first]
        self.first = offset

    def wake(self) -> None:
        """Tell everybody who waits at the end."""
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)


class Topic:
    """A log for each partition under one id."""

    def __init__(self, name: str, number: int, partitions: int) -> None:
        self.id = f"{name}#{number}"
        self.logs = [Log() for _ in range(partitions)]


class Broker:
    """What all processes share. ``faults`` says what goes wrong now."""

    def __init__(self, topics: Mapping[str, TopicSettings], clock: Clock, faults: Faults) -> None:
        self._settings = dict(topics)
        self._made = 0
        self.topics: dict[str, Topic] = {}
        self.positions: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        self.clock = clock
        self.faults = faults
        self.begin_again()

    def begin_again(self) -> None:
        """Come back with nothing of what there was."""
        self._made += 1
        old = list(self.topics.values())
        self.topics = {
            name: Topic(name, self._made, each.partitions) for name, each in self._settings.items()
        }
        for topic in old:
            for log in topic.logs:
                log.wake()

    def lose_tail(self, topic: str, share: float) -> int:
        """Lose the newest records of a topic, as a power cut does; return how many."""
        lost = 0
        for log in self.topics[topic].logs:
            count = int(len(log.records) * share)
            if count:
                del log.records[-count:]
                lost += count
        return lost

    def append(self, records: Sequence[Outgoing]) -> None:
        """Append at once."""
        for topic, partition, key, value, envelope in records:
            log = self.topics[topic].logs[partition]
            now_ms = self.clock.now_ms()
            log.records.append(Record(topic, partition, log.end, key, value, envelope, now_ms))
        for topic, partition in dict.fromkeys((one.topic, one.partition) for one in records):
            self.topics[topic].logs[partition].wake()


class SimulatedBus:
    """The port, as one life of one process has it."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._faults = broker.faults

    @property
    def clock_skew_ms(self) -> int:
        """Not modelled."""
        return 0

    async def start(self) -> None:
        """Nothing to connect."""

    async def stop(self) -> None:
        """Nothing to let go of."""

    async def publish(self, records: Sequence[Outgoing], *, timeout_ms: int) -> None:
        """Append all, or leave it unknown: then some, all or none are there, now or later."""
        await self._faults.on_the_way()
        for record in records:
            topic = self._broker.topics.get(record.topic)
            if topic is None or not 0 <= record.partition < len(topic.logs):
                raise TopicUnknown(record.topic, None if topic is None else record.partition)
        if self._faults.bus_is_away:
            await asyncio.sleep(timeout_ms / 1_000)
            raise SendUnknown("no broker answered")
        fate = self._faults.fate_of_send(len(records))
        if fate is None:
            self._broker.append(records)
            await self._faults.on_the_way()
            return
        arrived, late_s = fate
        self._broker.append(records[:arrived])
        if late_s:
            # A producer that was replaced delivers behind what was sent after it.
            self._faults.later(late_s, self._late, records[arrived:], dict(self._broker.topics))
        await asyncio.sleep(timeout_ms / 1_000)
        raise SendUnknown("not confirmed in time")

    def _late(self, records: Sequence[Outgoing], topics: Mapping[str, Topic]) -> None:
        if topics == self._broker.topics:  # Not into the logs of another broker.
            self._broker.append(records)

    async def topic(self, name: str) -> TopicInfo:
        """Describe a topic."""
        await self._faults.on_the_way()
        topic = self._topic(name)
        return TopicInfo(topic.id, len(topic.logs))

    async def bounds(self, name: str) -> Mapping[int, tuple[int, int]]:
        """Tell where each log begins and ends."""
        await self._faults.on_the_way()
        logs = enumerate(self._topic(name).logs)
        return {number: (log.first, log.end) for number, log in logs}

    async def open_group_reader(
        self, topic: str, *, group: str, member: str = "", assigned: Assigned | None = None
    ) -> "SimulatedReader":
        """Read all partitions from behind what the group has stored."""
        await self._faults.on_the_way()
        found = self._topic(topic)
        stored = self._broker.positions[group, found.id]
        starts = {n: stored.get(n, log.first) for n, log in enumerate(found.logs)}
        if assigned is not None:
            assigned(frozenset(starts))
        return SimulatedReader(self._broker, topic, found, starts, stored=stored)

    async def open_reader(
        self, topic: str, *, starts: Mapping[int, int | None]
    ) -> "SimulatedReader":
        """Read these partitions from these offsets."""
        await self._faults.on_the_way()
        found = self._topic(topic)
        self._check(topic, found, starts)
        first = {n: found.logs[n].first if at is None else at for n, at in starts.items()}
        return SimulatedReader(self._broker, topic, found, first)

    async def open_tail_reader(self, topic: str, *, partition: int) -> "SimulatedReader":
        """Read one partition from its present end."""
        await self._faults.on_the_way()
        found = self._topic(topic)
        self._check(topic, found, [partition])
        starts = {partition: found.logs[partition].end}
        return SimulatedReader(self._broker, topic, found, starts, is_tail=True)

    def _check(self, name: str, topic: Topic, partitions: Iterable[int]) -> None:
        for number in partitions:
            if not 0 <= number < len(topic.logs):
                raise TopicUnknown(name, number)

    def _topic(self, name: str) -> Topic:
        if self._faults.bus_is_away:
            raise BusUnavailable("no broker answers")
        found = self._broker.topics.get(name)
        if found is None:
            raise TopicUnknown(name)
        return found


class SimulatedReader:
    """A position in some partitions. What is acknowledged reaches the broker later, or never."""

    def __init__(
        self,
        broker: Broker,
        name: str,
        topic: Topic,
        starts: dict[int, int],
        *,
        stored: dict[int, int] | None = None,
        is_tail: bool = False,
    ) -> None:
        self._broker = broker
        self._faults = broker.faults
        self._name = name
        self._topic = topic
        self._at = starts
        self._stored = stored
        self._is_tail = is_tail
        self._settled: dict[int, int] = {}

    async def take(self, *, wait_ms: int, records_max: int) -> Mapping[int, Sequence[Record]]:
        """Return what waits, by partition; empty after a while proves that there was nothing."""
        await self._faults.on_the_way()
        if not (taken := self._gather(records_max)):
            await self._wait(wait_ms)
            taken = self._gather(records_max)
        return taken

    def acknowledge(self, through: Mapping[int, int]) -> None:
        """Store the position some time later."""
        if self._stored is not None:
            for number, offset in through.items():
                self._settled[number] = max(self._settled.get(number, -1), offset)
            self._faults.later(self._faults.lag_s(), self._store, dict(through))

    def _store(self, through: Mapping[int, int]) -> None:
        assert self._stored is not None
        for number, offset in through.items():
            self._stored[number] = max(self._stored.get(number, 0), offset + 1)

    async def close(self) -> None:
        """Store what was acknowledged; whoever is killed does not come here."""
        if self._stored is not None:
            self._store(self._settled)

    def _gather(self, records_max: int) -> dict[int, list[Record]]:
        if self._faults.bus_is_away:
            raise BusUnavailable("no broker answers")
        if self._broker.topics.get(self._name) is not self._topic:
            if not self._is_tail:
                raise LogReplaced(self._name)
            self._topic = self._broker.topics[self._name]
            self._at = dict.fromkeys(self._at, 0)
        ready = [number for number in self._at if self._holds_more(number)]
        taken: dict[int, list[Record]] = {}
        for number in self._faults.shuffled(ready):
            log, at = self._topic.logs[number], self._at[number]
            room = min(records_max, self._faults.batch(records_max))
            if records := log.read(at, room):
                taken[number] = records
                self._at[number] = at + len(records)
                records_max -= len(records)
        return taken

    def _holds_more(self, number: int) -> bool:
        """Whether there are records; raises what a log says that does not go on where we are."""
        log, at = self._topic.logs[number], self._at[number]
        if at > log.end:
            if not self._is_tail and self._stored is None:
                raise LogTailLost(self._name, {number: at}, {number: log.end})
            self._at[number] = log.end
        elif at < log.first:
            raise LogGap(self._name, number, at, log.first - 1)
        return at < log.end

    async def _wait(self, wait_ms: int) -> None:
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        for number in self._at:
            self._topic.logs[number].waiting.append(woken)
        timer = loop.call_later(wait_ms / 1_000, _settle, woken)
        try:
            await woken
        finally:
            timer.cancel()


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
