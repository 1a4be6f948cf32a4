"""Two bridges with one answers partition on a bus: the second refuses to start."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from libs.bus import Inbox, MemoryBus, TopicSettings
from libs.clock import SystemClock
from libs.contracts.topics import BRIDGE_ANSWERS
from services.iso_bridge.adapters.instance_claim import InstanceClaim, InstanceTaken

PARTITION = 3
WAIT_MS = 150


class Started:
    """A bridge as far as its claim goes; it listens only while it is awake."""

    def __init__(self, bus: MemoryBus, inbox: Inbox[Any], claim: InstanceClaim) -> None:
        self._bus = bus
        self._inbox = inbox
        self.claim = claim
        self.reports: list[str | None] = []

    async def seek(self) -> None:
        """Claim, and object from then on."""
        await self.claim.seek(self._inbox, wait_ms=WAIT_MS, report=self.reports.append)
        self.claim.serve(
            lambda record: sending.append(
                asyncio.ensure_future(self._bus.publish([record], timeout_ms=1_000))
            )
        )
        sending: list[asyncio.Future[None]] = []

    async def listen(self) -> None:
        """Read the partition until cancelled."""
        while True:
            await self._inbox.take(wait_ms=1_000)


@asynccontextmanager
async def a_bridge(bus: MemoryBus, holder: str) -> AsyncIterator[Started]:
    """Give a bridge that has not claimed anything yet."""
    reader = await bus.open_tail_reader(BRIDGE_ANSWERS, partition=PARTITION)
    clock = SystemClock()
    claim = InstanceClaim(bus, clock, partition=PARTITION, holder=holder, send_ms=1_000)
    yield Started(bus, Inbox(reader, clock, notice=claim.hear), claim)
    await reader.close()


@asynccontextmanager
async def awake(bridge: Started) -> AsyncIterator[None]:
    """Let a bridge listen for the block."""
    task = asyncio.create_task(bridge.listen())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture
async def bus() -> AsyncIterator[MemoryBus]:
    """Give a bus with the bridges' answers."""
    made = MemoryBus({BRIDGE_ANSWERS: TopicSettings(partitions=8)}, SystemClock())
    await made.start()
    yield made
    await made.stop()


async def test_refuses_to_start_beside_another(bus: MemoryBus) -> None:
    """The second one names who holds the partition and what to set."""
    async with a_bridge(bus, "kios-1, process 7") as first, a_bridge(bus, "kios-2") as second:
        await first.seek()
        async with awake(first):
            with pytest.raises(InstanceTaken, match=r"3 is used .*kios-1, process 7.*ANSWER_PART"):
                await second.seek()


async def test_starts_where_nobody_is_left(bus: MemoryBus) -> None:
    """A killed bridge does not object, and its successor need not wait for any time-out."""
    async with a_bridge(bus, "killed") as first:
        await first.seek()
    async with a_bridge(bus, "next") as second, asyncio.timeout(10):
        await second.seek()
        async with awake(second):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(second.claim.lost(), 0.1)


async def test_lets_one_of_two_that_start_at_once(bus: MemoryBus) -> None:
    """Two that ask in the same moment do not both serve, and do not both give up."""
    async with a_bridge(bus, "one") as first, a_bridge(bus, "two") as second:
        ends = await asyncio.gather(first.seek(), second.seek(), return_exceptions=True)

        assert 1 == sum(isinstance(end, InstanceTaken) for end in ends)
        assert 1 == ends.count(None)


async def test_gives_way_after_a_sleep(bus: MemoryBus) -> None:
    """A bridge that was frozen while another took over ends when it wakes; the other goes on."""
    async with a_bridge(bus, "sleeper") as first:
        await first.seek()
        async with a_bridge(bus, "awake") as second:
            await second.seek()
            async with awake(first), awake(second), asyncio.timeout(10):
                with pytest.raises(InstanceTaken, match="awake"):
                    await first.claim.lost()
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(second.claim.lost(), 0.1)
