"""A bus that ends its process: only once armed, only at its point, only on its topic."""

from collections.abc import AsyncIterator

import pytest

from libs.bus import MemoryBus, Outgoing, TopicSettings
from libs.fakes.clock import FixedClock
from loadtests.chaos_launcher import EXIT_CODE, CrashingBus, Point

ANSWERS, ENTRIES = "a.answers.v1", "a.entries.v1"


def records(topic: str, count: int) -> list[Outgoing]:
    return [Outgoing(topic, 0, b"", bytes([number]), b"") for number in range(count)]


async def sent_to(bus: MemoryBus, topic: str) -> int:
    reader = await bus.open_reader(topic, starts={0: None})
    taken = await reader.take(wait_ms=0, records_max=100)
    await reader.close()
    return len(taken.get(0, ()))


class TestCrashingBus:
    @pytest.fixture
    async def bus(self) -> AsyncIterator[MemoryBus]:
        """A bus with two topics."""
        clock = FixedClock()
        bus = MemoryBus({name: TopicSettings(partitions=1) for name in (ANSWERS, ENTRIES)}, clock)
        await bus.start()
        yield bus
        await bus.stop()

    @pytest.mark.parametrize(
        ("point", "sent"), [(Point.BEFORE_SEND, 0), (Point.HALF_SENT, 2), (Point.AFTER_SEND, 4)]
    )
    async def test_ends_with_so_much_sent(self, bus: MemoryBus, point: Point, sent: int) -> None:
        """Nothing, half or all of the publication is on the topic, and the process ends once."""
        ended: list[int] = []
        crashing = CrashingBus(bus, point, ANSWERS, ended.append)
        crashing.is_armed = True
        await crashing.publish(records(ANSWERS, 4), timeout_ms=1_000)

        assert (sent, [EXIT_CODE]) == (await sent_to(bus, ANSWERS), ended)

    async def test_goes_on_until_it_is_armed(self, bus: MemoryBus) -> None:
        """All is sent as ever."""
        ended: list[int] = []
        crashing = CrashingBus(bus, Point.BEFORE_SEND, ANSWERS, ended.append)
        await crashing.publish(records(ANSWERS, 4), timeout_ms=1_000)

        assert (4, []) == (await sent_to(bus, ANSWERS), ended)

    async def test_leaves_other_topics_alone(self, bus: MemoryBus) -> None:
        """A batch without answers is not worth an end."""
        ended: list[int] = []
        crashing = CrashingBus(bus, Point.BEFORE_SEND, ANSWERS, ended.append)
        crashing.is_armed = True
        await crashing.publish(records(ENTRIES, 4), timeout_ms=1_000)

        assert (4, []) == (await sent_to(bus, ENTRIES), ended)
