"""Waiting for what services need: red with a sentence, on by itself, never away from a stop."""

import asyncio
import io

import pytest

from libs.bus import BusUnavailable, MemoryBus, TopicInfo, TopicSettings, TopicUnknown
from libs.clock import SystemClock
from libs.observe import Health, Metrics
from services.cli.faults import CommandRefused
from services.cli.lifecycle import Part, Shared
from services.cli.waits import unless_stopped, wait_for_needs

PATIENCE_S = 10


class LateBus(MemoryBus):
    """A bus that is away at first, and whose topics are made later."""

    def __init__(self) -> None:
        self.is_away = True
        self.has_topics = False
        super().__init__({"a.b.v1": TopicSettings(partitions=1)}, SystemClock())

    async def start(self) -> None:
        """Open once it is there."""
        if self.is_away:
            raise BusUnavailable("no broker answers")
        await super().start()

    async def topic(self, name: str) -> TopicInfo:
        """Describe a topic once it is made."""
        if not self.has_topics:
            raise TopicUnknown(name)
        return await super().topic(name)


async def serve(*_: object) -> None:
    await asyncio.Event().wait()


def a_shared(bus: MemoryBus) -> Shared:
    return Shared(
        bus=bus,
        clock=SystemClock(),
        health=Health(),
        metrics=Metrics(),
        money_stream=io.StringIO(),
    )


async def until(shared: Shared, check: str, words: str) -> None:
    """Wait until a check says these words."""
    async with asyncio.timeout(PATIENCE_S):
        while words not in shared.health.problems().get(check, ""):  # noqa: ASYNC110 -- no event
            await asyncio.sleep(0.005)


class TestWaitForNeeds:
    async def test_goes_from_the_bus_to_its_topics(self) -> None:
        """Each that is missing is said; nothing is left to say at the end."""
        bus = LateBus()
        shared = a_shared(bus)
        part = Part("edge", serve, "edge.up", topics=("a.b.v1",))
        waiting = asyncio.create_task(wait_for_needs([part], shared, None, migrate=False))

        await until(shared, "bus", "no broker answers")
        bus.is_away = False
        await until(shared, "topics", "not there: a.b.v1; run lesko topics apply")
        bus.has_topics = True
        await asyncio.wait_for(waiting, PATIENCE_S)

        assert {} == shared.health.problems()


class TestUnlessStopped:
    async def test_cuts_the_work_off_when_asked_to_stop(self) -> None:
        """Whatever it waits for."""
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.02, stop.set)

        assert not await asyncio.wait_for(unless_stopped(serve(), stop), PATIENCE_S)

    async def test_raises_what_the_work_raises(self) -> None:
        """What only a person can change ends the process."""

        async def refuse() -> None:
            raise CommandRefused("made by a newer one")

        with pytest.raises(CommandRefused):
            await unless_stopped(refuse(), asyncio.Event())

    async def test_says_that_it_was_done(self) -> None:
        """Then the services may begin."""

        async def pass_by() -> None:
            return

        assert await unless_stopped(pass_by(), asyncio.Event())
