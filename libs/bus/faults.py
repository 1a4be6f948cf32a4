"""What can go wrong with the bus; texts name topics and positions, never what a record holds."""

from collections.abc import Mapping
from typing import ClassVar

from libs.outcome import Fault


class BusUnavailable(Fault):
    """The bus cannot be reached, is stopped, or will not let us in now."""

    retriable: ClassVar[bool] = True


class SendUnknown(Fault):
    """A send was not confirmed in time: the records may be on their topics or not."""

    retriable: ClassVar[bool] = True


class NoAnswer(Fault):
    """Nobody answered a question in time; what was asked for may have happened or not."""

    retriable: ClassVar[bool] = True


class TopicUnknown(Fault):
    """The topic, or that partition of it, does not exist."""

    def __init__(self, topic: str, partition: int | None = None) -> None:
        what = f"topic {topic}" if partition is None else f"partition {partition} of {topic}"
        super().__init__(f"{what} does not exist; `lesko topics apply` makes what topics.toml says")
        self.topic = topic
        self.partition = partition


class SendRefused(Fault):
    """A record will never be taken: it is too large."""


class LogGap(Fault):
    """The log does not hold the records that come next: they were dropped, or lost at its end.

    ``first`` and ``last`` are the missing offsets, both included.
    """

    def __init__(self, topic: str, partition: int, first: int, last: int) -> None:
        super().__init__(f"partition {partition} of {topic} lacks offsets {first} to {last}")
        self.topic = topic
        self.partition = partition
        self.first = first
        self.last = last


class LogTailLost(LogGap):
    """The log ends before the place that was reached: what stood there is lost, at its source too.

    ``ends`` has each partition that is concerned and where it ends now.
    """

    def __init__(self, topic: str, reached: Mapping[int, int], ends: Mapping[int, int]) -> None:
        partition = min(ends)
        super().__init__(topic, partition, ends[partition], reached[partition] - 1)
        self.ends = dict(ends)


class LogReplaced(Fault):
    """The topic has become another log; positions in the old one say nothing about it."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"topic {topic} was made anew, or its broker lost all it had")
        self.topic = topic


class LoopStopped(Fault):
    """Ends a batch loop at once; raised by a handler or a poison callback, never halved."""


class TooManyDead(LoopStopped):
    """So many records could not be handled that we are at fault, not they."""


class PartitionStopped(Fault):
    """Stops one partition in front of the record that raised it; the others go on."""
