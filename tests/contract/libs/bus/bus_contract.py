"""What every bus must do, whatever is behind the port; adapters' tests inherit it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from time import time

import pytest

from libs.bus import Bus, LogGap, LogTailLost, SendUnknown, TopicSettings, TopicUnknown
from tests.contract.libs.bus.harness import (
    SEND_MS,
    Harness,
    a_record,
    a_topic,
    nothing_comes,
    publish_texts,
    take_records,
    take_texts,
)

PARTITIONS = 3


class BusContract:
    """Tests of the port; a subclass gives ``make_harness``."""

    def make_harness(self) -> Harness:
        """Return a fresh harness."""
        raise NotImplementedError

    @pytest.fixture
    async def harness(self) -> AsyncIterator[Harness]:
        """Give each test a bus of its own and close it."""
        harness = self.make_harness()
        yield harness
        await harness.close()

    async def open_topic(
        self, harness: Harness, *, partitions: int = PARTITIONS, compacted: bool = False
    ) -> tuple[Bus, str]:
        """Return a bus with one topic."""
        topic = a_topic()
        settings = TopicSettings(partitions=partitions, compacted=compacted)
        return await harness.open({topic: settings}), topic

    async def test_gives_a_record_as_it_was_published(self, harness: Harness) -> None:
        """Topic, partition, key, value and envelope come through byte by byte, with a time."""
        bus, topic = await self.open_topic(harness)
        reader = await bus.open_group_reader(topic, group="g")
        before_ms = int(time() * 1000)

        await bus.publish([a_record(topic, 2, "\0x", key=b"\xffk")], timeout_ms=SEND_MS)
        ((record,),) = (await take_records(reader, 1)).values()

        assert (topic, 2, 0) == (record.topic, record.partition, record.offset)
        assert (b"\xffk", b"\0x", b"envelope of \0x") == record[3:6]
        assert before_ms - 1_000 <= record.appended_ms <= int(time() * 1000) + 1_000
        await reader.close()

    async def test_keeps_the_order_within_each_partition(self, harness: Harness) -> None:
        """Records of one partition come in the order of publishing, with rising offsets."""
        bus, topic = await self.open_topic(harness)
        reader = await bus.open_group_reader(topic, group="g")

        for start in range(0, 60, 20):
            numbers = range(start, start + 20)
            await bus.publish(
                [a_record(topic, n % PARTITIONS, str(n)) for n in numbers], timeout_ms=SEND_MS
            )
        taken = await take_records(reader, 60)

        for partition in range(PARTITIONS):
            values = [int(record.value) for record in taken[partition]]
            assert list(range(partition, 60, PARTITIONS)) == values
            assert list(range(20)) == [record.offset for record in taken[partition]]
        await reader.close()

    async def test_publishes_nothing_for_nothing(self, harness: Harness) -> None:
        """An empty list of records is confirmed and leaves no trace."""
        bus, topic = await self.open_topic(harness)
        reader = await bus.open_group_reader(topic, group="g")

        await bus.publish([], timeout_ms=SEND_MS)

        assert await nothing_comes(reader)
        await reader.close()

    async def test_waits_no_longer_than_asked(self, harness: Harness) -> None:
        """Without records a take ends empty after its wait."""
        bus, topic = await self.open_topic(harness)
        reader = await bus.open_group_reader(topic, group="g")

        async with asyncio.timeout(10):
            batch = await reader.take(wait_ms=50, records_max=10)

        assert batch == {}
        await reader.close()

    async def test_ends_a_wait_when_a_record_comes(self, harness: Harness) -> None:
        """A take that waits hears of a new record long before its wait is over."""
        bus, topic = await self.open_topic(harness)
        reader = await bus.open_tail_reader(topic, partition=1)
        taking = asyncio.create_task(reader.take(wait_ms=60_000, records_max=10))
        await asyncio.sleep(0.05)

        await publish_texts(bus, topic, 1, ["a"])
        async with asyncio.timeout(10):
            batch = await taking

        assert [b"a"] == [record.value for record in batch[1]]
        await reader.close()

    async def test_takes_no_more_than_asked(self, harness: Harness) -> None:
        """The rest stays for the next takes, nothing is lost between them."""
        bus, topic = await self.open_topic(harness)
        reader = await bus.open_group_reader(topic, group="g")
        for partition in range(PARTITIONS):
            await publish_texts(bus, topic, partition, [f"{partition}{n}" for n in range(4)])

        texts: list[str] = []
        while len(texts) < 12:
            batch = await reader.take(wait_ms=5_000, records_max=5)
            taken = [r.value.decode() for records in batch.values() for r in records]
            assert 0 < len(taken) <= 5
            texts += taken

        assert sorted(f"{p}{n}" for p in range(PARTITIONS) for n in range(4)) == sorted(texts)
        await reader.close()

    async def test_gives_again_what_was_not_acknowledged(self, harness: Harness) -> None:
        """A group that closes without acknowledging starts over, partition by partition."""
        bus, topic = await self.open_topic(harness)
        reader = await bus.open_group_reader(topic, group="g")
        await publish_texts(bus, topic, 0, ["a", "b", "c"])
        await publish_texts(bus, topic, 1, ["d", "e"])

        await take_records(reader, 5)
        reader.acknowledge({0: 1})
        await reader.close()
        again = await bus.open_group_reader(topic, group="g")

        assert ["c", "d", "e"] == await take_texts(again, 3)
        await again.close()

    async def test_keeps_what_was_acknowledged_before_closing(self, harness: Harness) -> None:
        """After a close the group goes on behind the last record it acknowledged."""
        bus, topic = await self.open_topic(harness)
        reader = await bus.open_group_reader(topic, group="g")
        await publish_texts(bus, topic, 0, ["a", "b"])

        await take_records(reader, 2)
        reader.acknowledge({0: 1})
        await reader.close()
        await publish_texts(bus, topic, 0, ["c"])
        again = await bus.open_group_reader(topic, group="g")

        assert ["c"] == await take_texts(again, 1)
        assert await nothing_comes(again)
        await again.close()

    async def test_never_goes_back_by_a_lower_acknowledgement(self, harness: Harness) -> None:
        """Acknowledging an earlier record after a later one changes nothing."""
        bus, topic = await self.open_topic(harness)
        reader = await bus.open_group_reader(topic, group="g")
        await publish_texts(bus, topic, 0, ["a", "b", "c"])

        await take_records(reader, 3)
        reader.acknowledge({0: 1})
        reader.acknowledge({0: 0})
        await reader.close()
        again = await bus.open_group_reader(topic, group="g")

        assert ["c"] == await take_texts(again, 1)
        await again.close()

    async def test_gives_each_group_everything(self, harness: Harness) -> None:
        """What one group acknowledged is still there for another that opens later."""
        bus, topic = await self.open_topic(harness)
        reader = await bus.open_group_reader(topic, group="g")
        await publish_texts(bus, topic, 0, ["a", "b"])
        await take_records(reader, 2)
        reader.acknowledge({0: 1})

        other = await bus.open_group_reader(topic, group="h")

        assert ["a", "b"] == await take_texts(other, 2)
        await reader.close()
        await other.close()

    async def test_tells_a_group_reader_what_it_holds(self, harness: Harness) -> None:
        """Whoever is alone in its group hears of all partitions, before any record, once."""
        bus, topic = await self.open_topic(harness)
        told: list[frozenset[int]] = []
        await publish_texts(bus, topic, 0, ["a"])

        reader = await bus.open_group_reader(topic, group="g", member="m", assigned=told.append)
        assert [frozenset(range(PARTITIONS))] == told
        await take_texts(reader, 1)
        await nothing_comes(reader)

        assert 1 == len(told)
        await reader.close()

    async def test_starts_where_it_is_told(self, harness: Harness) -> None:
        """Without a group: None is the earliest record, a number that offset; others are left."""
        bus, topic = await self.open_topic(harness)
        for partition in range(PARTITIONS):
            await publish_texts(bus, topic, partition, [f"{partition}{n}" for n in range(3)])

        reader = await bus.open_reader(topic, starts={0: None, 2: 1})

        assert ["00", "01", "02", "21", "22"] == await take_texts(reader, 5)
        assert await nothing_comes(reader)
        await reader.close()

    async def test_starts_at_the_end_of_the_log(self, harness: Harness) -> None:
        """The offset after the last record is a good start: the next one comes."""
        bus, topic = await self.open_topic(harness)
        await publish_texts(bus, topic, 0, ["a", "b"])
        reader = await bus.open_reader(topic, starts={0: 2})

        assert await nothing_comes(reader)
        await publish_texts(bus, topic, 0, ["c"])

        assert ["c"] == await take_texts(reader, 1)
        await reader.close()

    async def test_reads_a_tail_from_its_end_only(self, harness: Harness) -> None:
        """A tail reader sees what comes after it opened, of its own partition."""
        bus, topic = await self.open_topic(harness)
        await publish_texts(bus, topic, 1, ["old"])
        reader = await bus.open_tail_reader(topic, partition=1)

        await publish_texts(bus, topic, 0, ["elsewhere"])
        await publish_texts(bus, topic, 1, ["new"])

        assert ["new"] == await take_texts(reader, 1)
        assert await nothing_comes(reader)
        await reader.close()

    async def test_names_the_gap_behind_the_end(self, harness: Harness) -> None:
        """A start that the log has not reached is a fault with its range, never silence."""
        bus, topic = await self.open_topic(harness)
        await publish_texts(bus, topic, 1, ["a", "b"])
        reader = await bus.open_reader(topic, starts={1: 7})

        with pytest.raises(LogGap) as caught:
            await reader.take(wait_ms=5_000, records_max=10)

        gap = caught.value
        assert isinstance(gap, LogTailLost)
        assert {1: 2} == gap.ends
        assert (topic, 1, 2, 6) == (gap.topic, gap.partition, gap.first, gap.last)
        assert not gap.retriable
        await reader.close()

    async def test_says_what_a_topic_is(self, harness: Harness) -> None:
        """The number of partitions is told; the id is the same each time it is asked."""
        bus, topic = await self.open_topic(harness)

        info = await bus.topic(topic)

        assert info.partitions == PARTITIONS
        assert info.id
        assert info == await bus.topic(topic)

    async def test_tells_where_each_log_begins_and_ends(self, harness: Harness) -> None:
        """The second number is the offset that the partition's next record gets."""
        bus, topic = await self.open_topic(harness)
        await publish_texts(bus, topic, 1, ["a", "b"])

        bounds = await bus.bounds(topic)

        assert {0: (0, 0), 1: (0, 2), 2: (0, 0)} == {n: tuple(each) for n, each in bounds.items()}

    async def test_refuses_a_topic_that_is_not_there(self, harness: Harness) -> None:
        """Each way to touch a topic names the one that does not exist."""
        bus, _ = await self.open_topic(harness)
        missing = a_topic()

        for attempt in (
            bus.topic(missing),
            bus.bounds(missing),
            bus.publish([a_record(missing, 0, "a")], timeout_ms=SEND_MS),
            bus.open_group_reader(missing, group="g"),
            bus.open_reader(missing, starts={0: None}),
            bus.open_tail_reader(missing, partition=0),
        ):
            with pytest.raises(TopicUnknown, match=missing):
                await attempt

    async def test_refuses_a_partition_that_is_not_there(self, harness: Harness) -> None:
        """A partition behind the last one is unknown too: no hash sends it elsewhere."""
        bus, topic = await self.open_topic(harness)

        with pytest.raises(TopicUnknown):
            await bus.publish([a_record(topic, PARTITIONS, "a")], timeout_ms=SEND_MS)
        with pytest.raises(TopicUnknown):
            await bus.open_tail_reader(topic, partition=PARTITIONS)

    async def test_ends_a_send_at_its_deadline(self, harness: Harness) -> None:
        """A send that is not confirmed in time is unknown, and says so in time."""
        bus, topic = await self.open_topic(harness)
        await publish_texts(bus, topic, 0, ["before"])

        async with harness.stall(topic), asyncio.timeout(10):
            with pytest.raises(SendUnknown):
                await bus.publish([a_record(topic, 0, "a")], timeout_ms=100)

    async def test_keeps_the_last_record_of_each_key(self, harness: Harness) -> None:
        """A compacted topic tells a late reader each key's last record, in order."""
        bus, topic = await self.open_topic(harness, partitions=1, compacted=True)
        for text, key in (("a1", b"a"), ("b1", b"b"), ("a2", b"a"), ("c1", b"c"), ("a3", b"a")):
            await bus.publish([a_record(topic, 0, text, key=key)], timeout_ms=SEND_MS)
        reader = await bus.open_reader(topic, starts={0: None})

        last: dict[bytes, tuple[int, bytes]] = {}
        while len(last) < 3 or last[b"a"][1] != b"a3":
            for record in (await take_records(reader, 1))[0]:
                assert record.offset > max((offset for offset, _ in last.values()), default=-1)
                last[record.key] = (record.offset, record.value)

        assert {b"a": (4, b"a3"), b"b": (1, b"b1"), b"c": (3, b"c1")} == last
        await reader.close()


class ForgettingContract:
    """What holds when the bus loses all it had; a subclass gives ``make_harness``."""

    def make_harness(self) -> Harness:
        """Return a fresh harness."""
        raise NotImplementedError

    @pytest.fixture
    async def harness(self) -> AsyncIterator[Harness]:
        """Give each test a bus of its own and close it."""
        harness = self.make_harness()
        yield harness
        await harness.close()

    def topics(self) -> Mapping[str, TopicSettings]:
        """Return one topic to make."""
        return {a_topic(): TopicSettings(partitions=PARTITIONS)}

    async def test_shows_another_topic_id(self, harness: Harness) -> None:
        """Whoever kept a position sees that it belongs to another log."""
        topics = self.topics()
        (topic,) = topics
        bus = await harness.open(topics)
        before = await bus.topic(topic)

        bus = await harness.forget()

        after = await bus.topic(topic)
        assert before.id != after.id
        assert before.partitions == after.partitions

    async def test_starts_the_group_over(self, harness: Harness) -> None:
        """Offsets begin at zero, the group's position is gone, only new records come."""
        topics = self.topics()
        (topic,) = topics
        bus = await harness.open(topics)
        reader = await bus.open_group_reader(topic, group="g")
        await publish_texts(bus, topic, 0, ["a", "b", "c"])
        await take_records(reader, 3)
        reader.acknowledge({0: 2})
        await reader.close()

        bus = await harness.forget()
        await publish_texts(bus, topic, 0, ["d"])
        reader = await bus.open_group_reader(topic, group="g")
        ((record,),) = (await take_records(reader, 1)).values()

        assert (0, b"d") == (record.offset, record.value)
        await reader.close()

    async def test_turns_an_old_position_into_a_gap(self, harness: Harness) -> None:
        """A position of the lost log is a fault with its range, not a silent wait."""
        topics = self.topics()
        (topic,) = topics
        bus = await harness.open(topics)
        await publish_texts(bus, topic, 0, ["a", "b", "c"])

        bus = await harness.forget()
        reader = await bus.open_reader(topic, starts={0: 3})

        with pytest.raises(LogGap, match="offsets 0 to 2"):
            await reader.take(wait_ms=5_000, records_max=10)
        await reader.close()
