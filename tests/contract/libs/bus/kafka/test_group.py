"""How a group deals out partitions on a real broker: to whom, told when, stored by whom."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from libs.bus import Reader, TopicSettings
from libs.bus.kafka.bus import KafkaBus
from libs.bus.kafka.reader import KafkaReader
from libs.bus.kafka.settings import KafkaLimits, KafkaSettings
from libs.clock import SystemClock
from tests.contract.libs.bus.harness import a_topic, publish_texts, take_records, take_texts
from tests.contract.libs.bus.kafka_harness import QUICK, KafkaHarness

PARTITIONS = 4


class Desk:
    """A topic and two buses on it, as two processes would have them."""

    def __init__(self, bootstrap: str, topic: str, first: KafkaBus, second: KafkaBus) -> None:
        self.bootstrap = bootstrap
        self.topic = topic
        self.first = first
        self.second = second
        self.told: dict[str, list[frozenset[int]]] = {"first": [], "second": []}

    def make_bus(self, limits: KafkaLimits) -> KafkaBus:
        """Return another bus, not started."""
        settings = KafkaSettings(bootstrap=self.bootstrap)
        return KafkaBus(settings, SystemClock(), client="another", limits=limits)

    async def join(self, name: str, *, member: str = "") -> KafkaReader:
        """Open a reader of the group and remember what it is told."""
        bus = self.first if name == "first" else self.second
        return await bus.open_group_reader(
            self.topic, group="g", member=member, assigned=self.told[name].append
        )

    async def take_until_told(self, reader: Reader, name: str, held: int) -> None:
        """Take until the reader was told of so many partitions."""
        async with asyncio.timeout(15):
            while not self.told[name] or len(self.told[name][-1]) != held:
                await reader.take(wait_ms=100, records_max=100)

    async def has_stored(self, partition: int, position: int) -> None:
        """Wait until the group's position is there; nobody is asked to store it."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        group = f"g.{self.topic}.{(await self.first.topic(self.topic)).id}"
        try:
            async with asyncio.timeout(10):
                while True:
                    found = await admin.list_consumer_group_offsets(group)
                    if any(
                        p.partition == partition and o.offset == position for p, o in found.items()
                    ):
                        return
                    await asyncio.sleep(0.05)
        finally:
            await admin.close()


@pytest.fixture
async def desk(kafka_broker: str) -> AsyncIterator[Desk]:
    harness, topic = KafkaHarness(kafka_broker), a_topic()
    first = await harness.open({topic: TopicSettings(partitions=PARTITIONS)})
    second = KafkaBus(harness.settings, SystemClock(), client="second", limits=QUICK)
    await second.start()
    yield Desk(kafka_broker, topic, first, second)
    await second.stop()
    await harness.close()


class TestGroup:
    async def test_tells_all_partitions_at_once(self, desk: Desk) -> None:
        """Whoever is alone holds all, and is told so before the reader is there."""
        reader = await desk.join("first")

        assert [frozenset(range(PARTITIONS))] == desk.told["first"]
        await reader.close()

    async def test_shares_with_a_second_member(self, desk: Desk) -> None:
        """Both hold a part, together all, and each partition's records go to one of them."""
        first = await desk.join("first")
        joining = asyncio.create_task(desk.join("second"))
        await desk.take_until_told(first, "first", 2)
        second = await joining
        await desk.take_until_told(second, "second", 2)
        for partition in range(PARTITIONS):
            await publish_texts(desk.first, desk.topic, partition, [str(partition)])

        ours, theirs = await take_records(first, 2), await take_records(second, 2)

        assert ours.keys() == desk.told["first"][-1]
        assert theirs.keys() == desk.told["second"][-1]
        assert set(range(PARTITIONS)) == {*ours, *theirs}
        await second.close()
        await first.close()

    async def test_stores_what_was_acknowledged_before_it_gives_up(self, desk: Desk) -> None:
        """A new member goes on behind the last acknowledgement, however fresh that is."""
        bus = desk.make_bus(replace(QUICK, commit_ms=60_000))
        await bus.start()
        first = await bus.open_group_reader(
            desk.topic, group="g", assigned=desk.told["first"].append
        )
        for partition in range(PARTITIONS):
            await publish_texts(desk.first, desk.topic, partition, ["a", "b"])
        await take_records(first, 2 * PARTITIONS)
        first.acknowledge(dict.fromkeys(range(PARTITIONS), 0))

        joining = asyncio.create_task(desk.join("second"))
        await desk.take_until_told(first, "first", 2)
        second = await joining
        texts = await take_texts(second, 2)

        assert ["b", "b"] == texts
        await second.close()
        await bus.stop()

    async def test_ignores_acknowledgements_of_what_was_given_up(self, desk: Desk) -> None:
        """What was taken before partitions were dealt out anew cannot be acknowledged after it."""
        first = await desk.join("first")
        for partition in range(PARTITIONS):
            await publish_texts(desk.first, desk.topic, partition, [str(partition)])
        await take_records(first, PARTITIONS)
        second = await desk.join("second")
        async with asyncio.timeout(10):
            await first._source.settled()  # It has given all up: the second one is in.
        first.acknowledge(dict.fromkeys(range(PARTITIONS), 0))
        await second.close()
        await first.close()

        again = await desk.join("first")

        assert ["0", "1", "2", "3"] == await take_texts(again, PARTITIONS)
        await again.close()

    async def test_gives_a_named_member_its_partitions_back(self, desk: Desk) -> None:
        """A static member that comes back has all at once: nobody waits for a time-out."""
        first = await desk.join("first", member="host-1")
        await publish_texts(desk.first, desk.topic, 1, ["a", "b"])
        await take_records(first, 2)
        first.acknowledge({1: 0})
        await first.close()

        async with asyncio.timeout(QUICK.session_ms / 1000 / 2):
            again = await desk.join("second", member="host-1")
            texts = await take_texts(again, 1)

        assert [frozenset(range(PARTITIONS))] == desk.told["second"]
        assert ["b"] == texts
        await again.close()

    async def test_stores_lazily(self, desk: Desk) -> None:
        """Acknowledgements are stored while the reader goes on; a killed one loses little."""
        first = await desk.join("first", member="host-1")
        await publish_texts(desk.first, desk.topic, 1, ["a", "b"])
        await take_records(first, 2)
        first.acknowledge({1: 0})
        await desk.has_stored(1, 1)

        second = await desk.join("second", member="host-1")  # As after a kill: no close before it.

        assert ["b"] == await take_texts(second, 1)
        await first.close()
        await second.close()
