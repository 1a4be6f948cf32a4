"""The bus as services see it; Kafka and memory fit this shape.

A topic has numbered partitions; inside one, records keep their order and get rising offsets.
Delivery is at least once: what was not acknowledged comes again.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol


class Outgoing(NamedTuple):
    """A record to publish; the partition is always explicit."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    envelope: bytes


class Record(NamedTuple):
    """A record as it was read."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    envelope: bytes
    appended_ms: int


class TopicInfo(NamedTuple):
    """What a topic is now; another id means another log, whatever its name."""

    id: str
    partitions: int


Assigned = Callable[[frozenset[int]], None]
"""Hears the partitions that a group reader holds from now on."""


class Reader(Protocol):
    """A position in some partitions of one topic."""

    async def take(self, *, wait_ms: int, records_max: int) -> Mapping[int, Sequence[Record]]:
        """Return what waits, by partition and in order; empty after ``wait_ms`` without any.

        Empty means that the log had no more meanwhile, not that nobody could be asked. Raises
        LogGap when the log no longer holds the next offset, LogTailLost when it ends before that,
        LogReplaced when the topic has become another log, and BusUnavailable.
        """

    def acknowledge(self, through: Mapping[int, int]) -> None:
        """Remember the highest offset handled per partition; may be stored later, never earlier."""

    async def close(self) -> None:
        """Store what was acknowledged and let go of the partitions, under a time limit."""


class Bus(Protocol):
    """Publish and read."""

    @property
    def clock_skew_ms(self) -> int:
        """How far our clock is ahead of the bus's for sure, negative: behind; 0: not proven."""

    async def start(self) -> None:
        """Connect; raises BusUnavailable."""

    async def stop(self) -> None:
        """Let go of everything, under a time limit."""

    async def publish(self, records: Sequence[Outgoing], *, timeout_ms: int) -> None:
        """Append all records, in order within each partition; return when all are acknowledged.

        Raises SendUnknown when that is not known in time: they may or may not be there, and may
        still come. TopicUnknown, SendRefused and BusUnavailable: nobody has to fear that.
        """

    async def topic(self, name: str) -> TopicInfo:
        """Describe a topic; raises TopicUnknown."""

    async def bounds(self, name: str) -> Mapping[int, tuple[int, int]]:
        """Return each partition's first offset, and the one that its next record will get.

        Raises TopicUnknown and BusUnavailable.
        """

    async def open_group_reader(
        self, topic: str, *, group: str, member: str = "", assigned: Assigned | None = None
    ) -> Reader:
        """Read all partitions of a topic that the group gives to this instance.

        Starts behind what the group acknowledged, else at the earliest record. ``member`` names
        this instance through restarts (host and slot): it gets its partitions back at once, and
        nobody else gets them before a session time-out; two live ones of one name are a mistake.
        ``assigned`` hears the whole set held each time it is given anew, here and in ``take``,
        before any of its records: what was known of a partition before may be out of date.
        """

    async def open_reader(self, topic: str, *, starts: Mapping[int, int | None]) -> Reader:
        """Read these partitions from these offsets, without a group; None: from the earliest."""

    async def open_tail_reader(self, topic: str, *, partition: int) -> Reader:
        """Read one partition from its present end: an edge's own answers."""
