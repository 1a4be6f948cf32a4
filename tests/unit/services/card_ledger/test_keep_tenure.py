"""When a process that cannot reach its log gives up."""

import asyncio
from collections.abc import Iterator

import pytest

from libs.bus import BusUnavailable, MemoryBus, TopicInfo, TopicUnknown
from libs.fakes.clock import FixedClock
from libs.outcome import Fault
from services.card_ledger.handlers.keep_tenure import keep_reach

TOPIC = "commands"
GONE = BusUnavailable("no broker answers")


class ScriptedBus(MemoryBus):
    """Says what the test has written, one answer a second; stands still at the end."""

    def __init__(self, clock: FixedClock, script: Iterator[Fault | None]) -> None:
        super().__init__({}, clock)
        self.is_over = asyncio.Event()
        self._time = clock
        self._script = script

    async def topic(self, name: str) -> TopicInfo:
        """Take a second, then answer."""
        self._time.advance(1_000)
        for answer in self._script:
            if answer is not None:
                raise answer
            return TopicInfo("log", 1)
        self.is_over.set()
        return await asyncio.Future()


@pytest.mark.parametrize("answer", [None, TopicUnknown(TOPIC)], ids=["topic", "no topic"])
async def test_bears_trouble_that_an_answer_interrupts(answer: Fault | None) -> None:
    """Seven of eight seconds without an answer, again and again, end nothing."""
    clock = FixedClock()
    bus = ScriptedBus(clock, iter([*[GONE] * 7, answer] * 3))
    keeping = asyncio.create_task(keep_reach(bus, clock, TOPIC, every_ms=0, patience_ms=8_000))
    over = asyncio.create_task(bus.is_over.wait())
    await asyncio.wait({keeping, over}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    is_borne = not keeping.done()
    keeping.cancel()
    over.cancel()
    await asyncio.wait({keeping, over})

    assert is_borne
    assert bus.is_over.is_set()


async def test_gives_up_after_trouble_without_a_break() -> None:
    """The eighth second in a row without an answer is the last one."""
    clock = FixedClock()
    bus = ScriptedBus(clock, iter([None, *[GONE] * 9]))
    with pytest.raises(BusUnavailable):
        await asyncio.wait_for(keep_reach(bus, clock, TOPIC, every_ms=0, patience_ms=8_000), 10)

    assert 9_000 == clock.monotonic_ms()
