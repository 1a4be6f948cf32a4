"""The broker of the simulation keeps the bus's contract, so that the model does not drift."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from libs.bus import Bus, TopicSettings
from libs.clock import SystemClock
from tests.contract.libs.bus.bus_contract import BusContract, ForgettingContract
from tests.contract.libs.bus.harness import Harness
from tests.contract.libs.bus.loop_contract import LoopContract
from tests.simulation.broker import Broker, SimulatedBus
from tests.simulation.faults import Faults, Kind


class SimulatedHarness:
    """The broker in real time, with nothing going wrong but what a test does."""

    def __init__(self) -> None:
        loop: Any = asyncio.get_running_loop()
        self._faults = Faults(Random(1), loop, frozenset(), dict.fromkeys(Kind, 0.0), is_on=False)
        self._broker = Broker({}, SystemClock(), self._faults)

    async def open(self, topics: Mapping[str, TopicSettings]) -> Bus:
        """Return a started bus with these topics."""
        self._broker = Broker(topics, SystemClock(), self._faults)
        return SimulatedBus(self._broker)

    async def forget(self) -> Bus:
        """Lose every record and position."""
        self._broker.begin_again()
        return SimulatedBus(self._broker)

    @asynccontextmanager
    async def stall(self, topic: str) -> AsyncIterator[None]:
        """Keep the bus from confirming sends."""
        self._faults.bus_is_away = True
        yield
        self._faults.bus_is_away = False

    async def drop_before(self, topic: str, partition: int, offset: int) -> None:
        """Let the log of a partition begin here."""
        self._broker.topics[topic].logs[partition].drop_before(offset)

    async def close(self) -> None:
        """Nothing was started."""


class TestSimulatedBus(BusContract):
    def make_harness(self) -> Harness:
        """Return the broker of the simulation."""
        return SimulatedHarness()


class TestForgetting(ForgettingContract):
    def make_harness(self) -> Harness:
        """Return the broker of the simulation."""
        return SimulatedHarness()


class TestLoopOnSimulatedBus(LoopContract):
    def make_harness(self) -> Harness:
        """Return the broker of the simulation."""
        return SimulatedHarness()
