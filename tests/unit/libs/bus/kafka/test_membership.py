"""What a member stores, and where it begins; dealing out is in the contract on a real broker."""

from collections.abc import Mapping
from typing import Any

import pytest
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from libs.bus.kafka.membership import GroupSource
from libs.bus.kafka.settings import KafkaLimits
from libs.bus.kafka.shelf import Shelf
from libs.bus.kafka.source import Surroundings
from libs.clock import SystemClock

TOPIC = "t.x.v1"
PLACES = [TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)]


class Consumer:
    """Is given both partitions when it starts; remembers what is asked of it."""

    def __init__(self) -> None:
        self.stored: list[dict[TopicPartition, OffsetAndMetadata]] = []
        self.begun: list[TopicPartition] = []
        self._listener: Any = None

    def subscribe(self, topics: list[str], *, listener: Any) -> None:
        """Remember who listens."""
        self._listener = listener

    async def start(self) -> None:
        """Deal out."""
        await self.rebalance()

    async def rebalance(self) -> None:
        """Take all and give it again."""
        await self._listener.on_partitions_revoked(PLACES)
        await self._listener.on_partitions_assigned(PLACES)

    async def commit(self, offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:
        """Remember."""
        self.stored.append(offsets)

    async def seek_to_beginning(self, *places: TopicPartition) -> None:
        """Remember."""
        self.begun += places


class Watch:
    def __init__(self) -> None:
        self.is_sure = True

    def is_same(self, topic: str, log: str) -> bool:
        """Say what the test says."""
        return self.is_sure


class Bench:
    def __init__(self) -> None:
        self.consumer = Consumer()
        self.watch = Watch()
        self.told: list[frozenset[int]] = []
        self.logs: list[str] = []
        around = Surroundings(
            self.watch,  # type: ignore[arg-type]  # -- what is used
            None,  # type: ignore[arg-type]  # -- nothing is ended here
            SystemClock(),
            KafkaLimits(commit_ms=60_000),
        )
        self.source = GroupSource(
            TOPIC,
            "log",
            self._make,
            Shelf(records_max=10),
            around,
            assigned=self.told.append,
        )

    def _make(self, log: str) -> Consumer:
        self.logs.append(log)
        return self.consumer

    async def open(self) -> None:
        """Join and be told."""
        await self.source.open()
        self.source.tell_assigned()

    @property
    def stored(self) -> list[Mapping[int, int]]:
        """Return what was stored, by partition."""
        return [{p.partition: o.offset for p, o in each.items()} for each in self.consumer.stored]


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    await bench.open()
    return bench


class TestGroupSource:
    async def test_stores_the_place_behind_what_was_handled(self, bench: Bench) -> None:
        """Kafka's position is that of the next record; a lower one later changes nothing."""
        bench.source.acknowledge({0: 7, 1: 3})
        bench.source.acknowledge({0: 5})

        await bench.source.close()

        assert [{0: 8, 1: 4}] == bench.stored

    async def test_stores_nothing_where_the_log_may_be_another(self, bench: Bench) -> None:
        """An empty broker would believe the position, and its first records would be skipped."""
        bench.source.acknowledge({0: 7})
        bench.watch.is_sure = False

        await bench.source.close()

        assert [] == bench.stored

    async def test_takes_no_word_for_what_it_was_not_told_of(self, bench: Bench) -> None:
        """Between being dealt out anew and being told, acknowledgements are of the old ones."""
        await bench.consumer.rebalance()
        bench.source.acknowledge({0: 7})
        bench.source.tell_assigned()
        bench.source.acknowledge({1: 3})

        await bench.source.close()

        assert [{1: 4}] == bench.stored
        assert [frozenset({0, 1})] * 2 == bench.told

    async def test_joins_another_group_for_another_log(self, bench: Bench) -> None:
        """Positions and assignments in a log that is gone say nothing about the new one."""
        assert bench.source.replaced("other") is None
        await bench.open()

        assert ["log", "other"] == bench.logs
        await bench.source.close()

    async def test_hears_nothing_of_a_consumer_that_was_replaced(self, bench: Bench) -> None:
        """An old one that is being closed takes nothing away from the new one."""
        old, bench.consumer = bench.consumer, Consumer()
        await bench.open()
        turn = bench.source.turn

        await old.rebalance()

        assert turn == bench.source.turn
        await bench.source.close()
