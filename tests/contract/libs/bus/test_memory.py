"""The memory bus keeps the contract, also as one that has forgotten everything."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from libs.bus import Bus, MemoryBus, MemoryLimits, Outgoing, TopicSettings
from libs.clock import SystemClock
from tests.contract.libs.bus.bus_contract import BusContract, ForgettingContract
from tests.contract.libs.bus.harness import SEND_MS, Harness
from tests.contract.libs.bus.loop_contract import LoopContract

FULL_BYTES = 100_000


class MemoryHarness:
    def __init__(self) -> None:
        self._topics: Mapping[str, TopicSettings] = {}
        self._bus: MemoryBus | None = None

    async def open(self, topics: Mapping[str, TopicSettings]) -> Bus:
        """Start a bus."""
        self._topics = topics
        return await self.forget()

    async def forget(self) -> Bus:
        """Put a new bus in the place of the old one."""
        await self.close()
        limits = MemoryLimits(waiting_bytes_max=FULL_BYTES)
        self._bus = MemoryBus(self._topics, SystemClock(), limits=limits)
        await self._bus.start()
        return self._bus

    @asynccontextmanager
    async def stall(self, topic: str) -> AsyncIterator[None]:
        """Fill a topic that a reader holds."""
        assert self._bus is not None
        reader = await self._bus.open_group_reader(topic, group="never acknowledges")
        big = Outgoing(topic, 0, b"", b"x" * FULL_BYTES, b"")
        await self._bus.publish([big], timeout_ms=SEND_MS)
        yield
        await reader.close()

    async def close(self) -> None:
        """Stop the bus."""
        if self._bus is not None:
            await self._bus.stop()


class ForgetfulHarness(MemoryHarness):
    """Every bus it opens has had a life before, of which nothing is left."""

    async def open(self, topics: Mapping[str, TopicSettings]) -> Bus:
        """Start a bus, use it, forget it."""
        bus = await super().open(topics)
        for topic, settings in topics.items():
            reader = await bus.open_group_reader(topic, group="g")
            records = [
                Outgoing(topic, partition, b"k", b"from another life", b"")
                for partition in range(settings.partitions)
            ]
            await bus.publish(records, timeout_ms=SEND_MS)
            reader.acknowledge(dict.fromkeys(range(settings.partitions), 0))
            await reader.close()
        return await self.forget()


class TestMemoryBus(BusContract):
    def make_harness(self) -> Harness:
        """Return the variant under test."""
        return MemoryHarness()


class TestMemoryBusThatForgot(BusContract):
    def make_harness(self) -> Harness:
        """Return the variant under test."""
        return ForgetfulHarness()


class TestForgetting(ForgettingContract):
    def make_harness(self) -> Harness:
        """Return the variant under test."""
        return MemoryHarness()


class TestLoopOnMemoryBus(LoopContract):
    def make_harness(self) -> Harness:
        """Return the variant under test."""
        return MemoryHarness()


class TestLoopOnMemoryBusThatForgot(LoopContract):
    def make_harness(self) -> Harness:
        """Return the variant under test."""
        return ForgetfulHarness()
