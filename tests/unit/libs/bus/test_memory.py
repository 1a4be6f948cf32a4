"""What is the memory bus's own: what it keeps, what it drops, when publishers wait."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from libs.bus import (
    BusUnavailable,
    LogGap,
    MemoryBus,
    MemoryLimits,
    Outgoing,
    SendUnknown,
    TopicSettings,
)
from libs.clock import SystemClock

TOPIC = "own.things.v1"
LIMITS = MemoryLimits(tail_bytes=10_000, waiting_bytes_max=100_000)
BIG = b"x" * 700  # With what a record costs besides: 1,000 bytes.


@pytest.fixture
async def bus() -> AsyncIterator[MemoryBus]:
    bus = MemoryBus({TOPIC: TopicSettings(partitions=2)}, SystemClock(), limits=LIMITS)
    await bus.start()
    yield bus
    await bus.stop()


async def fill(bus: MemoryBus, records: int, *, partition: int = 0, timeout_ms: int = 20) -> None:
    for _ in range(records):
        await bus.publish([Outgoing(TOPIC, partition, b"", BIG, b"")], timeout_ms=timeout_ms)


async def first_offset(bus: MemoryBus) -> int:
    """Return the offset of the oldest record that is left in partition 0."""
    reader = await bus.open_reader(TOPIC, starts={0: None})
    batch = await reader.take(wait_ms=0, records_max=1)
    await reader.close()
    return batch[0][0].offset


class TestKeeping:
    async def test_keeps_only_a_tail_without_readers(self, bus: MemoryBus) -> None:
        """A topic that nobody reads never fills: old records go, about a tail's worth stays."""
        await fill(bus, 500)

        assert 500 - 21 <= await first_offset(bus) <= 500 - 10

    async def test_keeps_what_a_group_has_not_acknowledged(self, bus: MemoryBus) -> None:
        """Everything stays for an open reader, and for its group after it has closed."""
        reader = await bus.open_group_reader(TOPIC, group="g")
        await fill(bus, 40)
        await reader.take(wait_ms=0, records_max=100)
        await reader.close()
        await fill(bus, 40)

        assert 0 == await first_offset(bus)

    async def test_drops_what_all_have_acknowledged(self, bus: MemoryBus) -> None:
        """The slowest reader decides; its acknowledgement frees all but the tail."""
        quick = await bus.open_group_reader(TOPIC, group="quick")
        slow = await bus.open_reader(TOPIC, starts={0: None})
        await fill(bus, 80)

        quick.acknowledge({0: 79})
        held = await first_offset(bus)
        slow.acknowledge({0: 79})

        assert 0 == held
        assert 70 == await first_offset(bus)

    async def test_does_not_wait_for_a_reader_that_has_closed(self, bus: MemoryBus) -> None:
        """A reader without a group holds records only while it is open."""
        reader = await bus.open_reader(TOPIC, starts={0: None, 1: None})
        await fill(bus, 80)

        await reader.close()
        await reader.close()

        assert 70 == await first_offset(bus)

    async def test_counts_what_a_tail_reader_took_as_acknowledged(self, bus: MemoryBus) -> None:
        """Nobody can come back for answers that were taken, so they do not pile up."""
        reader = await bus.open_tail_reader(TOPIC, partition=0)
        for _ in range(10):
            await fill(bus, 50)
            taken = await reader.take(wait_ms=0, records_max=100)
            assert 50 == len(taken[0])

        assert await first_offset(bus) >= 500 - 21

    async def test_names_the_gap_before_the_start(self, bus: MemoryBus) -> None:
        """A position whose records were dropped is a fault with the range that is missing."""
        await fill(bus, 80)
        first = await first_offset(bus)
        reader = await bus.open_reader(TOPIC, starts={0: 3, 1: None})

        with pytest.raises(LogGap) as caught:
            await reader.take(wait_ms=0, records_max=1)

        assert (3, first - 1) == (caught.value.first, caught.value.last)

    async def test_gives_other_partitions_before_a_gap(self, bus: MemoryBus) -> None:
        """Records taken beside a gap are not lost to it: they come first, the gap next."""
        await fill(bus, 1, partition=0)
        reader = await bus.open_reader(TOPIC, starts={0: None, 1: 9})

        batch = await reader.take(wait_ms=0, records_max=10)

        assert [0] == list(batch)
        with pytest.raises(LogGap):
            await reader.take(wait_ms=0, records_max=10)

    async def test_lets_no_partition_starve(self, bus: MemoryBus) -> None:
        """A busy partition does not keep a quiet one waiting."""
        reader = await bus.open_group_reader(TOPIC, group="g")
        await fill(bus, 50, partition=0)
        await fill(bus, 1, partition=1)

        taken = [await reader.take(wait_ms=0, records_max=10) for _ in range(2)]

        assert [[0], [1, 0]] == [list(batch) for batch in taken]


class TestTaking:
    async def test_lets_others_run_first(self, bus: MemoryBus) -> None:
        """A take of what is there already waits one turn: nobody starves, and more comes along."""
        reader = await bus.open_group_reader(TOPIC, group="g")
        await fill(bus, 1)
        other = asyncio.create_task(fill(bus, 1))

        batch = await reader.take(wait_ms=0, records_max=10)

        assert other.done()
        assert 2 == len(batch[0])

    async def test_loses_nothing_when_it_is_cancelled(self, bus: MemoryBus) -> None:
        """A take that is cut off, waiting or about to return, has taken nothing."""
        reader = await bus.open_group_reader(TOPIC, group="g")
        for records in (0, 1):
            await fill(bus, records)
            taking = asyncio.create_task(reader.take(wait_ms=60_000, records_max=10))
            await asyncio.sleep(0)
            await fill(bus, 1)
            taking.cancel()
            await asyncio.wait([taking])

            assert taking.cancelled()

        assert 3 == len((await reader.take(wait_ms=0, records_max=10))[0])


class TestCompaction:
    async def test_holds_one_record_per_key(self) -> None:
        """However often a key changes, its last record alone is kept and nobody waits."""
        settings = TopicSettings(partitions=1, compacted=True)
        bus = MemoryBus({TOPIC: settings}, SystemClock(), limits=LIMITS)
        await bus.start()
        reader = await bus.open_group_reader(TOPIC, group="never acknowledges")
        for n in range(400):
            record = Outgoing(TOPIC, 0, b"ab"[n % 2 : n % 2 + 1], BIG, b"")
            await bus.publish([record], timeout_ms=20)

        batch = await reader.take(wait_ms=0, records_max=10)

        assert [398, 399] == [record.offset for record in batch[0]]
        assert {} == await reader.take(wait_ms=0, records_max=10)


class TestFull:
    async def test_makes_publishers_wait_until_their_deadline(self, bus: MemoryBus) -> None:
        """Over its bound a partition takes nothing more; the sender hears that it is unknown."""
        reader = await bus.open_group_reader(TOPIC, group="g")

        with pytest.raises(SendUnknown):
            await fill(bus, 200)
        taken = await reader.take(wait_ms=0, records_max=1_000)

        assert 101 == len(taken[0])
        await fill(bus, 1, partition=1)

    async def test_lets_a_waiting_publisher_go_on(self, bus: MemoryBus) -> None:
        """An acknowledgement makes room, and the send that waited is confirmed."""
        reader = await bus.open_group_reader(TOPIC, group="g")
        await fill(bus, 101)
        waiting = asyncio.create_task(fill(bus, 1, timeout_ms=20_000))
        await asyncio.sleep(0.01)
        was_waiting = not waiting.done()

        reader.acknowledge({0: 100})
        await asyncio.wait_for(waiting, 5)

        assert was_waiting

    async def test_publishes_all_or_nothing_for_a_wrong_topic(self, bus: MemoryBus) -> None:
        """A record for an unknown place keeps the whole send from being made."""
        reader = await bus.open_group_reader(TOPIC, group="g")
        records = [Outgoing(TOPIC, 0, b"", b"", b""), Outgoing(TOPIC, 9, b"", b"", b"")]

        with pytest.raises(Exception, match="partition 9"):
            await bus.publish(records, timeout_ms=20)

        assert {} == await reader.take(wait_ms=0, records_max=10)


class TestOpening:
    async def test_refuses_a_second_reader_of_a_group(self, bus: MemoryBus) -> None:
        """A group has one reader at a time; after it closed the next one may come."""
        reader = await bus.open_group_reader(TOPIC, group="g")

        with pytest.raises(BusUnavailable, match="group g"):
            await bus.open_group_reader(TOPIC, group="g")
        await reader.close()

        await (await bus.open_group_reader(TOPIC, group="g")).close()

    async def test_tells_readers_and_publishers_that_it_stopped(self, bus: MemoryBus) -> None:
        """Whoever waits on a bus that stops is woken with a fault, not left behind."""
        await bus.open_group_reader(TOPIC, group="g")
        reader = await bus.open_tail_reader(TOPIC, partition=0)
        taking = asyncio.create_task(reader.take(wait_ms=60_000, records_max=1))
        await fill(bus, 101, partition=1)
        sending = asyncio.create_task(fill(bus, 1, partition=1, timeout_ms=60_000))
        await asyncio.sleep(0.01)

        await bus.stop()

        for waiting in (taking, sending):
            with pytest.raises(BusUnavailable):
                await asyncio.wait_for(waiting, 5)

    async def test_is_closed_before_it_is_started(self) -> None:
        """Nothing is published or opened on a bus that was not started."""
        bus = MemoryBus({TOPIC: TopicSettings(partitions=1)}, SystemClock())

        with pytest.raises(BusUnavailable):
            await bus.publish([Outgoing(TOPIC, 0, b"", b"", b"")], timeout_ms=20)
        with pytest.raises(BusUnavailable):
            await bus.open_group_reader(TOPIC, group="g")

    async def test_ends_a_take_when_its_reader_closes(self, bus: MemoryBus) -> None:
        """A reader that is closed while it waits says so."""
        reader = await bus.open_group_reader(TOPIC, group="g")
        taking = asyncio.create_task(reader.take(wait_ms=60_000, records_max=1))
        await asyncio.sleep(0)

        await reader.close()

        with pytest.raises(BusUnavailable):
            await asyncio.wait_for(taking, 5)
