"""Requests gather and leave in batches; doubt is told, never repeated."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from libs.bus import BusUnavailable, Outgoing, SendUnknown
from libs.bus.port import Bus
from libs.outcome import Fault
from services.iso_bridge.adapters.request_pump import RequestPump


class SlowBus:
    """Publishes when it is let, or fails; tells of topics unless it fails."""

    def __init__(self) -> None:
        self.sent: list[list[Outgoing]] = []
        self.asked = 0
        self.fault: Fault | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def publish(self, records: Sequence[Outgoing], *, timeout_ms: int) -> None:
        """Remember, wait, and fail when told to."""
        self.sent.append(list(records))
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault

    async def topic(self, name: str) -> None:
        """Count, and fail when told to."""
        self.asked += 1
        if self.fault is not None:
            raise self.fault


def record(number: int) -> Outgoing:
    """Return some record."""
    return Outgoing("t", 0, b"", bytes([number]), b"")


def nothing() -> None:
    """Do nothing."""


class Told:
    """What the pump reports."""

    def __init__(self) -> None:
        self.reports: list[str | None] = []
        self.unknown = 0

    def in_doubt(self) -> None:
        """Count."""
        self.unknown += 1


@asynccontextmanager
async def pumping(bus: SlowBus, told: Told, *, gather_ms: int = 0) -> AsyncIterator[RequestPump]:
    """Give a running pump."""
    as_bus: Bus = bus  # type: ignore[assignment]  # -- only these are called
    pump = RequestPump(
        as_bus, timeout_ms=1_000, gather_ms=gather_ms, report=told.reports.append, ask_every_ms=1
    )
    task = asyncio.create_task(pump.run())
    try:
        yield pump
    finally:
        task.cancel()


async def turns(count: int = 6) -> None:
    """Let the loop turn."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_sends_one_turn_as_one_batch() -> None:
    """What is put before the loop turns leaves together, in order."""
    bus = SlowBus()
    async with pumping(bus, Told()) as pump:
        await turns()
        for number in range(5):
            pump.put(record(number), nothing)
        await turns()

        assert [[record(number) for number in range(5)]] == bus.sent
        assert len(pump) == 0


async def test_gathers_while_a_send_is_under_way() -> None:
    """A slow bus gets fuller batches, not more of them."""
    bus = SlowBus()
    async with pumping(bus, Told()) as pump:
        bus.gate.clear()
        pump.put(record(0), nothing)
        await turns()
        for number in (1, 2, 3):
            pump.put(record(number), nothing)
            await turns()
        assert len(pump) == 3
        bus.gate.set()
        await turns()

        assert [1, 3] == [len(batch) for batch in bus.sent]


async def test_tells_those_whose_send_is_in_doubt() -> None:
    """A send is not tried again; each waiting message hears of it, and so does health."""
    bus, told = SlowBus(), Told()
    async with pumping(bus, told) as pump:
        bus.fault = SendUnknown("no word for 1,000 ms")
        pump.put(record(0), told.in_doubt)
        pump.put(record(1), told.in_doubt)
        await turns()

        assert (2, 1) == (told.unknown, len(bus.sent))
        assert told.reports == [None, "requests cannot be sent: no word for 1,000 ms"]


async def test_goes_on_after_a_fault() -> None:
    """The next batch is sent, and health is good again."""
    bus, told = SlowBus(), Told()
    async with pumping(bus, told) as pump:
        bus.fault = BusUnavailable("the bus is down")
        pump.put(record(0), nothing)
        await turns()
        bus.fault = None
        pump.put(record(1), nothing)
        await turns()

        assert 2 == len(bus.sent)
        assert told.reports[-1] is None


async def test_is_well_again_without_a_message() -> None:
    """Nobody sends to an edge that is not ready: it asks the bus until that answers."""
    bus, told = SlowBus(), Told()
    async with pumping(bus, told) as pump:
        bus.fault = SendUnknown("no word for 1,000 ms")
        pump.put(record(0), nothing)
        async with asyncio.timeout(5):
            while bus.asked < 2:
                await turns()
            during = told.reports[-1]
            bus.fault = None
            while told.reports[-1] is not None:
                await turns()

        assert "requests cannot be sent: no word for 1,000 ms" == during
        assert 1 == len(bus.sent)


async def test_waits_a_little_only_under_load() -> None:
    """A lone message leaves at once; after a batch of several the next one gathers."""
    bus = SlowBus()
    async with pumping(bus, Told(), gather_ms=10) as pump:
        pump.put(record(0), nothing)
        await turns()
        assert 1 == len(bus.sent)
        pump.put(record(1), nothing)
        pump.put(record(2), nothing)
        await turns()
        assert 2 == len(bus.sent)
        pump.put(record(3), nothing)
        await turns()
        assert 2 == len(bus.sent)
        pump.put(record(4), nothing)
        await asyncio.sleep(0.03)

        assert [1, 2, 2] == [len(batch) for batch in bus.sent]
