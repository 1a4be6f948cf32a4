"""The bus: a port, memory behind it, and the one loop that consumes; no record's meaning."""

from libs.bus.ask import Question, ask
from libs.bus.batches import Handle, LoopSettings, Poison, Publisher, run_batches
from libs.bus.dead_letters import dead_letters
from libs.bus.faults import (
    BusUnavailable,
    LogGap,
    LoopStopped,
    NoAnswer,
    PartitionStopped,
    SendUnknown,
    TooManyDead,
    TopicUnknown,
)
from libs.bus.halves import Batch
from libs.bus.inbox import Inbox
from libs.bus.memory import MemoryBus, MemoryLimits
from libs.bus.port import Bus, Outgoing, Reader, Record, TopicInfo
from libs.bus.topics import TopicSettings, TopicsInvalid, load_topics, with_partitions
from libs.observe.figures import LoopFigures

__all__ = [
    "Batch",
    "Bus",
    "BusUnavailable",
    "Handle",
    "Inbox",
    "LogGap",
    "LoopFigures",
    "LoopSettings",
    "LoopStopped",
    "MemoryBus",
    "MemoryLimits",
    "NoAnswer",
    "Outgoing",
    "PartitionStopped",
    "Poison",
    "Publisher",
    "Question",
    "Reader",
    "Record",
    "SendUnknown",
    "TooManyDead",
    "TopicInfo",
    "TopicSettings",
    "TopicUnknown",
    "TopicsInvalid",
    "ask",
    "dead_letters",
    "load_topics",
    "run_batches",
    "with_partitions",
]
