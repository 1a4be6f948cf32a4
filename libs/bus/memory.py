"""The bus inside one process: records are bytes as on Kafka, and all die with the process."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex

from libs.bus.faults import BusUnavailable, SendUnknown, TopicUnknown
from libs.bus.memory_log import CompactedLog, Log
from libs.bus.memory_reader import MemoryReader
from libs.bus.port import Assigned, Outgoing, TopicInfo
from libs.bus.topics import TopicSettings
from libs.clock import Clock

_ID_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryLimits:
    """How much one partition may hold."""

    tail_bytes: int = 512 * 1024  # Kept although read by all, or read by nobody.
    waiting_bytes_max: int = 32 * 1024 * 1024  # From here on publishers wait.


class _Partition:
    """A log, who reads it, and from where on somebody still needs it."""

    __slots__ = ("holds", "log", "number", "readers")

    def __init__(self, number: int, log: Log) -> None:
        self.number = number
        self.log = log
        self.readers: list[MemoryReader] = []
        self.holds: list[dict[int, int]] = []  # Of groups for ever, of other readers while open.


class _Topic:
    __slots__ = ("groups", "id", "open_groups", "partitions")

    def __init__(self, settings: TopicSettings) -> None:
        make = CompactedLog if settings.compacted else Log
        self.id = token_hex(_ID_BYTES)
        self.partitions = [_Partition(number, make()) for number in range(settings.partitions)]
        self.groups: dict[str, dict[int, int]] = {}
        self.open_groups: set[str] = set()


class MemoryBus:
    """Topics in memory; a new instance is a new log with new topic ids.

    A group has one reader at a time and it gets all partitions; a second one is refused. What every
    group (also while nobody reads for it) and every open reader has acknowledged is dropped, except
    for a bounded tail. Where that is too much, publishers wait. For one event loop.
    """

    def __init__(
        self,
        topics: Mapping[str, TopicSettings],
        clock: Clock,
        *,
        limits: MemoryLimits | None = None,
    ) -> None:
        self._topics = {name: _Topic(settings) for name, settings in topics.items()}
        self._partitions = {
            (name, partition.number): partition
            for name, topic in self._topics.items()
            for partition in topic.partitions
        }
        self._clock = clock
        self._limits = limits or MemoryLimits()
        self._is_open = False
        self._room: list[asyncio.Future[None]] = []

    @property
    def clock_skew_ms(self) -> int:
        """Nothing: records are stamped by our own clock."""
        return 0

    async def start(self) -> None:
        """Open for records."""
        self._is_open = True

    async def stop(self) -> None:
        """Close; readers and publishers that wait hear BusUnavailable."""
        self._is_open = False
        self._tell_room()
        for partition in self._partitions.values():
            for reader in list(partition.readers):
                reader.cut()

    async def publish(self, records: Sequence[Outgoing], *, timeout_ms: int) -> None:
        """Append all records; nothing is appended when one names a topic that is not there.

        Waits only while a partition is full; raises SendUnknown when that lasts too long.
        """
        places = self._places(records)
        touched = set(places)
        if self._full(touched):
            await self._wait_for_room(touched, timeout_ms)
        self._check_open()
        now_ms = self._clock.now_ms()
        for partition, outgoing in zip(places, records, strict=True):
            partition.log.append(outgoing, now_ms)
        for partition in touched:
            self._forget(partition)
            for reader in partition.readers:
                reader.wake(partition.number)

    async def topic(self, name: str) -> TopicInfo:
        """Describe a topic; raises TopicUnknown."""
        topic = self._topic(name)
        return TopicInfo(topic.id, len(topic.partitions))

    async def bounds(self, name: str) -> Mapping[int, tuple[int, int]]:
        """Tell where each log begins and ends; raises TopicUnknown."""
        return {
            partition.number: (partition.log.first, partition.log.end)
            for partition in self._topic(name).partitions
        }

    async def open_group_reader(
        self,
        topic: str,
        *,
        group: str,
        member: str = "",  # noqa: ARG002 -- of the port
        assigned: Assigned | None = None,
    ) -> MemoryReader:
        """Read all partitions; raises BusUnavailable while the group has an open reader.

        ``assigned`` hears all partitions, once; ``member`` makes no difference.
        """
        self._check_open()
        found = self._topic(topic)
        if group in found.open_groups:
            raise BusUnavailable(f"group {group} already reads {topic} in this process")
        hold = found.groups.get(group)
        if hold is None:
            hold = {partition.number: partition.log.first for partition in found.partitions}
            found.groups[group] = hold
            for partition in found.partitions:
                partition.holds.append(hold)
        found.open_groups.add(group)
        if assigned is not None:
            assigned(frozenset(hold))

        def let_go() -> None:
            found.open_groups.discard(group)

        return self._open(topic, hold, let_go, is_tail=False)

    async def open_reader(self, topic: str, *, starts: Mapping[int, int | None]) -> MemoryReader:
        """Read these partitions; what was not acknowledged is kept while the reader is open."""
        hold = {}
        for number, offset in starts.items():
            first = self._partition(topic, number).log.first
            hold[number] = first if offset is None else offset
        return self._open_alone(topic, hold, is_tail=False)

    async def open_tail_reader(self, topic: str, *, partition: int) -> MemoryReader:
        """Read one partition from its end; what was taken counts as acknowledged."""
        hold = {partition: self._partition(topic, partition).log.end}
        return self._open_alone(topic, hold, is_tail=True)

    def _open_alone(self, topic: str, hold: dict[int, int], *, is_tail: bool) -> MemoryReader:
        self._check_open()
        held = [self._partition(topic, number) for number in hold]
        for partition in held:
            partition.holds.append(hold)

        def let_go() -> None:
            for partition in held:
                # By identity: two readers at the same place have equal holds.
                partition.holds = [other for other in partition.holds if other is not hold]

        return self._open(topic, hold, let_go, is_tail=is_tail)

    def _open(
        self, topic: str, hold: dict[int, int], let_go: Callable[[], None], *, is_tail: bool
    ) -> MemoryReader:
        partitions = {number: self._partition(topic, number) for number in hold}

        def closed() -> None:
            let_go()
            for partition in partitions.values():
                partition.readers.remove(reader)
                self._forget(partition)

        def acknowledged(number: int) -> None:
            self._forget(partitions[number])

        logs = {number: partition.log for number, partition in partitions.items()}
        reader = MemoryReader(
            topic, logs, hold, is_tail=is_tail, acknowledged=acknowledged, closed=closed
        )
        for partition in partitions.values():
            partition.readers.append(reader)
        return reader

    def _check_open(self) -> None:
        if not self._is_open:
            raise BusUnavailable("the memory bus is not started or was stopped")

    def _topic(self, name: str) -> _Topic:
        found = self._topics.get(name)
        if found is None:
            raise TopicUnknown(name)
        return found

    def _partition(self, topic: str, number: int) -> _Partition:
        found = self._partitions.get((topic, number))
        if found is None:
            raise TopicUnknown(topic, number if topic in self._topics else None)
        return found

    def _places(self, records: Sequence[Outgoing]) -> list[_Partition]:
        partitions = self._partitions
        try:
            return [partitions[record[0], record[1]] for record in records]
        except KeyError as missing:
            topic, number = missing.args[0]
            raise TopicUnknown(topic, number if topic in self._topics else None) from None

    def _forget(self, partition: _Partition) -> None:
        """Drop what nobody needs, in strokes of half of what is kept: rarely, not per record."""
        log = partition.log
        size = log.size_bytes
        if size <= 2 * self._limits.tail_bytes:
            return
        number = partition.number
        needed_from = min((hold[number] for hold in partition.holds), default=log.end)
        log.forget(needed_from, self._limits.tail_bytes)
        if self._room and log.size_bytes < size:
            self._tell_room()

    def _full(self, partitions: Iterable[_Partition]) -> bool:
        most = self._limits.waiting_bytes_max
        return any(partition.log.size_bytes > most for partition in partitions)

    async def _wait_for_room(self, partitions: set[_Partition], timeout_ms: int) -> None:
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                while self._is_open and self._full(partitions):
                    turn = asyncio.get_running_loop().create_future()
                    self._room.append(turn)
                    await turn
        except TimeoutError:
            raise SendUnknown(f"a topic stayed full for {timeout_ms} ms; its readers lag") from None

    def _tell_room(self) -> None:
        waiting, self._room = self._room, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)
