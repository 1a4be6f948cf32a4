"""What waits to be taken: in order, fairly, within bounds, and a fault only at its end."""

import asyncio

import pytest

from libs.bus import BusUnavailable, LogGap, Record
from libs.bus.kafka.room import Room
from libs.bus.kafka.shelf import Shelf


def records(partition: int, *offsets: int) -> list[Record]:
    return [Record("t.x.v1", partition, offset, b"", b"", b"", 0) for offset in offsets]


def offsets(taken: dict[int, list[Record]]) -> dict[int, list[int]]:
    return {partition: [each.offset for each in part] for partition, part in taken.items()}


class TestShelf:
    def test_keeps_order_over_several_puts(self) -> None:
        """What was put later stands behind what was put before."""
        shelf = Shelf(records_max=10)
        shelf.put(0, records(0, 0, 1))
        shelf.put(0, records(0, 2))

        assert {0: [0, 1, 2]} == offsets(shelf.take(10))
        assert {} == shelf.take(10)

    def test_lets_no_partition_starve(self) -> None:
        """What was left of a busy partition waits behind the others."""
        shelf = Shelf(records_max=10)
        shelf.put(0, records(0, 0, 1, 2, 3))
        shelf.put(1, records(1, 0))

        assert {0: [0, 1, 2]} == offsets(shelf.take(3))
        assert {1: [0], 0: [3]} == offsets(shelf.take(3))

    def test_gives_records_before_the_fault(self) -> None:
        """A gap behind good records is told once those were taken, and again each time."""
        shelf = Shelf(records_max=10)
        shelf.put(0, records(0, 0))
        shelf.end(LogGap("t.x.v1", 0, 1, 5))

        assert {0: [0]} == offsets(shelf.take(10))
        for _ in range(2):
            with pytest.raises(LogGap):
                shelf.take(10)

    async def test_makes_the_pump_wait_when_full(self) -> None:
        """Nothing is fetched until enough was taken."""
        shelf = Shelf(records_max=3)
        shelf.put(0, records(0, 0, 1, 2))
        waiting = asyncio.create_task(shelf.wait_for_room())
        await asyncio.sleep(0)
        assert not waiting.done()

        shelf.take(1)
        async with asyncio.timeout(5):
            await waiting

        assert not shelf.is_full

    async def test_wakes_whoever_waits(self) -> None:
        """A put and a stir end a wait at once."""
        shelf = Shelf(records_max=3)
        for stir in (shelf.stir, lambda: shelf.put(0, records(0, 0))):
            waiting = asyncio.create_task(shelf.wait(60))
            await asyncio.sleep(0)
            stir()
            await asyncio.wait({waiting}, timeout=5)
            assert waiting.done()

    def test_forgets_what_is_void(self) -> None:
        """Cleared records are not given out."""
        shelf = Shelf(records_max=3)
        shelf.put(0, records(0, 0, 1, 2))

        shelf.clear()

        assert (False, False) == (shelf.has_any, shelf.is_full)
        assert {} == shelf.take(10)


class TestRoom:
    async def test_bounds_what_is_on_its_way(self) -> None:
        """Whoever finds no room hears of it in time, and has taken none."""
        room = Room(100)
        await room.take(60, seconds=1)

        with pytest.raises(BusUnavailable):
            await room.take(60, seconds=0.01)

        assert 60 == room.taken_bytes

    async def test_lets_go_on_when_room_is_given_back(self) -> None:
        """A waiter gets its room as soon as there is enough."""
        room = Room(100)
        await room.take(60, seconds=1)
        waiting = asyncio.create_task(room.take(60, seconds=10))
        await asyncio.sleep(0)

        room.give_back(60)
        async with asyncio.timeout(5):
            await waiting

        assert 60 == room.taken_bytes

    async def test_lets_a_large_one_go_alone(self) -> None:
        """What is larger than all room waits until nothing else is on its way."""
        room = Room(100)

        await room.take(1_000, seconds=1)

        assert 1_000 == room.taken_bytes
