"""What the loop does beside the bus: waiting for it, counting, telling positions."""

import asyncio
from collections.abc import Mapping, Sequence

from libs.bus import (
    Batch,
    BusUnavailable,
    LoopSettings,
    Outgoing,
    Record,
    dead_letters,
    run_batches,
)
from libs.fakes.clock import FixedClock
from libs.observe import LoopFigures

SETTINGS = LoopSettings(backoff_first_ms=1, backoff_last_ms=2)


def a_batch(*offsets: int, value: bytes = b"") -> Batch:
    return {3: [Record("t.x.v1", 3, offset, b"", value, b"", 0) for offset in offsets]}


class ScriptedReader:
    """Gives batches and faults as listed, then waits for ever."""

    def __init__(self, *script: Batch | Exception) -> None:
        self._script = list(script)
        self.acknowledged: list[Mapping[int, int]] = []
        self.done = asyncio.Event()

    async def take(self, *, wait_ms: int, records_max: int) -> Mapping[int, Sequence[Record]]:
        """Return or raise what is next."""
        if not self._script:
            self.done.set()
            await asyncio.Event().wait()
        step = self._script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def acknowledge(self, through: Mapping[int, int]) -> None:
        """Remember."""
        self.acknowledged.append(through)

    async def close(self) -> None:
        """Nothing to let go of."""


class SilentBus:
    def __init__(self) -> None:
        self.sends: list[tuple[int, int]] = []

    async def publish(self, records: Sequence[Outgoing], *, timeout_ms: int) -> None:
        """Remember how many, and the deadline."""
        self.sends.append((len(records), timeout_ms))


class Number:
    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, amount: float = 1) -> None:
        """Add."""
        self.value += amount


async def echo(batch: Batch) -> Sequence[Outgoing]:
    records = [record for part in batch.values() for record in part]
    if any(record.value == b"poison" for record in records):
        raise ValueError
    return [Outgoing("t.y.v1", 0, b"", b"", b"") for _ in records]


class TestRunBatches:
    async def test_waits_for_a_bus_that_is_away(self) -> None:
        """While records cannot be taken it is not well; it goes on by itself when they can."""
        away = BusUnavailable("no broker")
        reader, bus = ScriptedReader(away, away, a_batch(0, 1)), SilentBus()
        problems: list[str | None] = []

        loop = asyncio.create_task(
            run_batches(
                reader,
                bus,
                echo,
                poison=dead_letters(FixedClock()),
                report=problems.append,
                settings=SETTINGS,
            )
        )
        await asyncio.wait_for(reader.done.wait(), 5)
        loop.cancel()
        await asyncio.wait([loop])

        assert [{3: 1}] == reader.acknowledged
        assert [None, None] == [problems[0], problems[-1]]
        assert ["BusUnavailable" in (problem or "") for problem in problems[1:3]] == [True, True]

    async def test_tells_positions_and_counts(self) -> None:
        """Who keeps positions hears each acknowledgement too; figures add up."""
        script = (a_batch(0, 1, 2), a_batch(3, value=b"poison"), a_batch(4))
        reader, bus = ScriptedReader(*script), SilentBus()
        told: list[Mapping[int, int]] = []
        figures = LoopFigures(settled=Number(), retried=Number(), dead=Number())

        loop = asyncio.create_task(
            run_batches(
                reader,
                bus,
                echo,
                poison=dead_letters(FixedClock()),
                report=lambda _: None,
                settings=SETTINGS,
                acknowledged=told.append,
                figures=figures,
            )
        )
        await asyncio.wait_for(reader.done.wait(), 5)
        loop.cancel()
        await asyncio.wait([loop])

        assert [{3: 2}, {3: 3}, {3: 4}] == told == reader.acknowledged
        assert [5, 0, 1] == [each.value for each in figures if isinstance(each, Number)]

    async def test_gives_every_send_a_deadline(self) -> None:
        """A batch is one send, with the deadline of the settings."""
        reader, bus = ScriptedReader(a_batch(0, 1, 2)), SilentBus()

        loop = asyncio.create_task(
            run_batches(
                reader,
                bus,
                echo,
                poison=dead_letters(FixedClock()),
                report=lambda _: None,
                settings=LoopSettings(send_timeout_ms=77),
            )
        )
        await asyncio.wait_for(reader.done.wait(), 5)
        loop.cancel()
        await asyncio.wait([loop])

        assert [(3, 77)] == bus.sends

    async def test_sends_nothing_for_nothing(self) -> None:
        """A handler that has nothing to say costs no send, and its batch is acknowledged."""
        reader, bus = ScriptedReader(a_batch(0)), SilentBus()

        async def quiet(_: Batch) -> Sequence[Outgoing]:
            return []

        loop = asyncio.create_task(
            run_batches(
                reader,
                bus,
                quiet,
                poison=dead_letters(FixedClock()),
                report=lambda _: None,
            )
        )
        await asyncio.wait_for(reader.done.wait(), 5)
        loop.cancel()
        await asyncio.wait([loop])

        assert [] == bus.sends
        assert [{3: 0}] == reader.acknowledged
