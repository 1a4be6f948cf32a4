"""Look whether this bridge's answers partition exists; who uses it is not asked here."""

from libs.bus import Bus
from libs.contracts.topics import BRIDGE_ANSWERS
from libs.outcome import Fault


class NoSuchAnswerPartition(Fault):
    """The settings give this bridge an answers partition that the topic does not have."""


async def check_answer_partition(bus: Bus, wanted: int) -> None:
    """Return when the partition is there; raises NoSuchAnswerPartition, TopicUnknown.

    Asked before the registry is read: whoever typed a wrong number should hear it at once.
    """
    partitions = (await bus.topic(BRIDGE_ANSWERS)).partitions
    if wanted >= partitions:
        raise NoSuchAnswerPartition(
            f"LESKO_ISO_BRIDGE__ANSWER_PARTITION={wanted} is none of the {partitions} partitions of"
            f" {BRIDGE_ANSWERS}: set it to a number from 0 to {partitions - 1}, each bridge its own"
        )
