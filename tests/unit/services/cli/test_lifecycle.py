"""Services start in order, stop in reverse, and fall together."""

import asyncio
import io
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from libs.bus import BusUnavailable, LogReplaced, MemoryBus, TopicUnknown
from libs.clock import SystemClock
from libs.observe import Health, Metrics
from libs.pg import StoreUnavailable
from services.cli.faults import CommandRefused
from services.cli.lifecycle import NotReady, Part, ServiceEnded, Shared, run_parts

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


async def run(
    parts: list[Part],
    diary: list[str],
    stop: asyncio.Event,
    ms: int = 2_000,
    *,
    one_by_one: bool = True,
) -> None:
    async def ready() -> None:
        diary.append("ready")
        stop.set()

    await run_parts(
        parts,
        a_shared(),
        {},
        stop=stop,
        while_ready=ready,
        ready_ms_max=ms,
        one_by_one=one_by_one,
    )


class TestRunParts:
    async def test_waits_for_each_gate_and_stops_in_reverse(self) -> None:
        """The edge begins only after the books are held, and ends first."""
        diary = Diary()

        parts = [
            diary.part("books", gate="books.held", opens_ms=60),
            diary.part("edge", gate="edge.open"),
        ]
        await run(parts, diary.lines, asyncio.Event())

        assert ["books begins", "edge begins", "ready", "edge ends", "books ends"] == diary.lines

    async def test_waits_for_no_gate_where_each_waits_by_itself(self) -> None:
        """An edge that is first does not keep the books, which it needs, from beginning."""
        diary = Diary()
        parts = [
            diary.part("edge", gate="edge.open", opens_ms=60),
            diary.part("books", gate="books.held"),
        ]
        await run(parts, diary.lines, asyncio.Event(), one_by_one=False)

        assert ["edge begins", "books begins", "ready", "books ends", "edge ends"] == diary.lines

    @pytest.mark.parametrize(
        "trouble",
        [
            StoreUnavailable("PostgreSQL is away."),
            ExceptionGroup("tasks", [BusUnavailable("no broker"), StoreUnavailable("away")]),
            TopicUnknown("a.b.v1"),
            LogReplaced("a.b.v1"),
        ],
    )
    async def test_starts_again_what_ended_with_trouble_that_may_pass(
        self, trouble: Exception
    ) -> None:
        """Red with its sentence meanwhile; the others go on."""
        diary, seen = Diary(), list[str]()

        async def serve(on: Shared, _: Mapping[str, Any]) -> None:
            seen.append(on.health.problems().get("books.held", ""))
            if len(seen) < 2:
                raise trouble
            on.health.report("books.held", None)
            await asyncio.Event().wait()

        parts = [Part("books", serve, "books.held"), diary.part("edge", gate="edge.open")]
        await run(parts, diary.lines, asyncio.Event())

        leaf = trouble.exceptions[0] if isinstance(trouble, ExceptionGroup) else trouble
        assert ["not reported yet", str(leaf)] == seen
        assert ["edge begins", "ready", "edge ends"] == diary.lines

    @pytest.mark.parametrize(
        "troubles",
        [
            [TopicUnknown("a.b.v1", 99)],
            [BusUnavailable("no broker"), CommandRefused("wrong")],
        ],
    )
    async def test_ends_with_what_a_person_must_change(self, troubles: list[Exception]) -> None:
        """A wrong setting does not pass by waiting."""

        async def serve(_: Shared, __: Mapping[str, Any]) -> None:
            await asyncio.sleep(0)
            raise ExceptionGroup("tasks", troubles)

        with pytest.RaisesGroup(*(type(each) for each in troubles), flatten_subgroups=True):
            await run([Part("edge", serve, "edge.up")], [], asyncio.Event())

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
