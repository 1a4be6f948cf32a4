"""The bus: a port, memory behind it, and the one loop that consumes; no record's meaning.

Kafka behind the port is in libs.bus.kafka, which only a composition root imports.
"""

from libs.bus.ask import Question, ask
from libs.bus.batches import Handle, LoopSettings, Poison, Publisher, run_batches
from libs.bus.dead_letters import dead_letters
from libs.bus.faults import (
    BusUnavailable,
    LogGap,
    LogReplaced,
    LogTailLost,
    LoopStopped,
    NoAnswer,
    PartitionStopped,
    SendRefused,
    SendUnknown,
    TooManyDead,
    TopicUnknown,
)
from libs.bus.halves import Batch
from libs.bus.inbox import Inbox
from libs.bus.memory import MemoryBus, MemoryLimits
from libs.bus.port import Assigned, Bus, Outgoing, Reader, Record, TopicInfo
from libs.bus.topics import TopicSettings, TopicsInvalid, load_topics, with_partitions
from libs.observe.figures import LoopFigures

__all__ = [
    "Assigned",
    "Batch",
    "Bus",
    "BusUnavailable",
    "Handle",
    "Inbox",
    "LogGap",
    "LogReplaced",
    "LogTailLost",
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
    "SendRefused",
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
