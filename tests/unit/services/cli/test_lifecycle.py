"""Services start in order, stop in reverse, and fall together."""

import asyncio
import io
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from libs.bus import MemoryBus
from libs.clock import SystemClock
from libs.observe import Health, Metrics
from services.cli.faults import CommandRefused
from services.cli.lifecycle import NotReady, Part, ServiceEnded, Shared, run_in_order

Serve = Callable[[Shared, Mapping[str, Any]], Awaitable[None]]


def a_shared() -> Shared:
    clock = SystemClock()
    return Shared(
        bus=MemoryBus({}, clock),
        clock=clock,
        health=Health(),
        metrics=Metrics(),
        money_stream=io.StringIO(),
    )


class Diary:
    """Parts that note when they begin and end."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def part(self, name: str, *, gate: str | None = None, opens_ms: int = 0) -> Part:
        """Give a service that reports its gate after a while."""

        async def serve(on: Shared, _: Mapping[str, Any]) -> None:
            self.lines.append(f"{name} begins")
            try:
                await asyncio.sleep(opens_ms / 1000)
                if gate is not None:
                    on.health.report(gate, None)
                await asyncio.Event().wait()
            finally:
                self.lines.append(f"{name} ends")

        return Part(name, serve, gate)


async def run(parts: list[Part], diary: list[str], stop: asyncio.Event, ms: int = 2_000) -> None:
    async def ready() -> None:
        diary.append("ready")
        stop.set()

    await run_in_order(parts, a_shared(), {}, stop=stop, while_ready=ready, ready_ms_max=ms)


class TestRunInOrder:
    async def test_waits_for_each_gate_and_stops_in_reverse(self) -> None:
        """The edge begins only after the books are held, and ends first."""
        diary = Diary()

        parts = [
            diary.part("books", gate="books.held", opens_ms=60),
            diary.part("edge", gate="edge.open"),
        ]
        await run(parts, diary.lines, asyncio.Event())

        assert ["books begins", "edge begins", "ready", "edge ends", "books ends"] == diary.lines

    async def test_ends_all_when_one_fails(self) -> None:
        """The fault of the one that failed leaves; the others are stopped."""
        diary = Diary()

        async def fail(_: Shared, __: Mapping[str, Any]) -> None:
            await asyncio.sleep(0)
            raise CommandRefused("The port is taken.")

        with pytest.RaisesGroup(pytest.RaisesExc(CommandRefused, match="port is taken")):
            await run([diary.part("books"), Part("edge", fail, "edge.up")], [], asyncio.Event())
        assert ["books begins", "books ends"] == diary.lines

    async def test_takes_a_quiet_return_for_a_failure(self) -> None:
        """A service that just returns would leave the others without it."""

        async def leave(_: Shared, __: Mapping[str, Any]) -> None:
            return

        with pytest.RaisesGroup(pytest.RaisesExc(ServiceEnded, match="edge ended")):
            await run([Part("edge", leave, "edge.up")], [], asyncio.Event())

    async def test_gives_up_after_its_time_and_says_what_is_missing(self) -> None:
        """The sentence names the check that is not good."""
        diary = Diary()

        with pytest.RaisesGroup(pytest.RaisesExc(NotReady, match="books.held")):
            await run(
                [diary.part("books", gate="books.held", opens_ms=9_000)], [], asyncio.Event(), 50
            )

    async def test_stops_while_it_is_still_starting(self) -> None:
        """Asked to stop before the gate opened, it starts nothing more and is never ready."""
        diary, stop = Diary(), asyncio.Event()
        asyncio.get_running_loop().call_later(0.05, stop.set)

        parts = [diary.part("books", gate="books.held", opens_ms=9_000), diary.part("edge")]
        await run(parts, diary.lines, stop)

        assert ["books begins", "books ends"] == diary.lines
