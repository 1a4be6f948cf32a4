"""What a pump needs to know of whoever decides on partitions and positions."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from libs.bus.kafka.closing import Closer
from libs.bus.kafka.settings import KafkaLimits
from libs.bus.kafka.watch import ClusterWatch
from libs.clock import Clock
from libs.outcome import Fault

Stamps = Mapping[TopicPartition, int | None]
"""When each partition's last fetch was answered, in milliseconds of the wall clock."""


class Surroundings(NamedTuple):
    """What all readers of a bus share."""

    watch: ClusterWatch
    closer: Closer
    clock: Clock
    limits: KafkaLimits


class Source(Protocol):
    """Partitions that were asked for, or that a group gives."""

    topic: str
    log: str  # The id of the topic whose positions these are.

    @property
    def turn(self) -> int:
        """Another number each time partitions are given up: what was fetched before is void."""

    @property
    def is_joining(self) -> bool:
        """Tell whether it holds no partitions because they are being dealt out."""

    @property
    def is_left_out(self) -> bool:
        """Tell whether that has taken too long."""

    async def open(self) -> AIOKafkaConsumer:
        """Return a started consumer at its positions; raises Fault."""

    async def settled(self) -> None:
        """Wait until partitions have been dealt out."""

    def read_to(self, partition: int, offset: int) -> None:
        """Note where the next record of a partition is."""

    def acknowledge(self, through: Mapping[int, int]) -> None:
        """Note what was handled."""

    async def out_of_range(
        self, consumer: AIOKafkaConsumer, reached: Mapping[int, int]
    ) -> Fault | None:
        """Mend positions that the log does not have, or return the fault that they are."""

    async def without_position(self, consumer: AIOKafkaConsumer, partition: int) -> None:
        """Give a partition its first position."""

    def replaced(self, log: str) -> Fault | None:
        """Begin with another log, or return the fault that it is."""

    def tell_assigned(self) -> None:
        """Tell whoever asked for it what is held, if that was dealt out anew."""

    async def close(self) -> None:
        """Store what was acknowledged."""
