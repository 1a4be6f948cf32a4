"""The simulator over real sockets against a fake switch."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import process_time

import pytest

from loadtests import commands
from loadtests.fleet import Fleet, today
from loadtests.plan import MIXED
from loadtests.terminal_simulator import Load, Simulator
from tests.unit.loadtests.fake_switch import FakeSwitch

HANGS_AFTER_S = 60


class Listener:
    """Serves the fake switch on a port of 127.0.0.1."""

    def __init__(self, switch: FakeSwitch, cut_after: int) -> None:
        self.switch = switch
        self.cut_after = cut_after
        self.port = 0
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until it ends."""
        self.connections += 1
        self._writers.add(writer)
        try:
            while head := await reader.readexactly(2):
                body = await reader.readexactly(int.from_bytes(head, "big"))
                writer.writelines(self.switch.answer(head + body))
                if len(self.switch.asked) == self.cut_after:
                    self.cut()
        except (asyncio.IncompleteReadError, ConnectionError):
            self._writers.discard(writer)
        finally:
            writer.close()

    def cut(self) -> None:
        """End every connection, as a restarted switch does."""
        for writer in tuple(self._writers):
            writer.transport.abort()


@asynccontextmanager
async def listening(switch: FakeSwitch, cut_after: int = -1) -> AsyncIterator[Listener]:
    listener = Listener(switch, cut_after)
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
    listener.port = server.sockets[0].getsockname()[1]
    async with server:
        yield listener
        listener.cut()


class TestSimulator:
    async def test_keeps_so_many_in_flight(self) -> None:
        """A closed loop measures purchases, settles everything and finds nothing wrong."""
        fleet = Fleet(20, today())
        load = Load(name="a", in_flight=10, seconds=0.3, warm_up_s=0.1, mix=MIXED, cards=500)

        async with asyncio.timeout(HANGS_AFTER_S), listening(FakeSwitch()) as listener:
            measured = await Simulator(fleet, "127.0.0.1", listener.port).run(load, process_time)

        figures = measured.figures()
        assert 10 == listener.connections
        assert figures["purchases"] > 10
        assert figures["purchases"] == sum(figures["codes"].values())
        assert figures["purchases"] == sum(
            int(one.partition(":")[2]) for one in figures["histogram_us"].split()
        )
        assert 0 == figures["wrong"] + figures["unexpected"] + figures["unsettled"]
        assert measured.after > measured.before

    async def test_comes_at_a_rate(self) -> None:
        """An open loop asks what was planned, no more, and answers all of it."""
        fleet = Fleet(20, today())
        load = Load(name="a", rate=200, seconds=0.5, warm_up_s=0.1)

        async with asyncio.timeout(HANGS_AFTER_S), listening(FakeSwitch()) as listener:
            measured = await Simulator(fleet, "127.0.0.1", listener.port).run(load, process_time)

        figures = measured.figures()
        assert len(fleet.belief) == len(listener.switch.asked)
        assert 50 < figures["purchases"] <= len(fleet.belief) < 200
        assert 0 == figures["unsent"] + figures["wrong"] + figures["unsettled"]
        assert {"approved", "refused"} >= fleet.belief.counts().keys()

    async def test_goes_on_after_connections_were_lost(self) -> None:
        """Terminals connect again and ask on; what was lost is not taken for answered."""
        fleet = Fleet(20, today())
        load = Load(name="a", rate=200, seconds=1.5, warm_up_s=0.1, lines=4)

        async with asyncio.timeout(HANGS_AFTER_S), listening(FakeSwitch(), 50) as listener:
            measured = await Simulator(fleet, "127.0.0.1", listener.port).run(load, process_time)

        assert listener.connections > 4
        assert measured.tally.unsent > 0
        assert measured.figures()["purchases"] > 50
        assert 0 == measured.unsettled

    async def test_fails_when_a_callback_breaks(self) -> None:
        """A mistake in the simulator ends the run instead of looking like a slow switch."""
        fleet = Fleet(20, today(), first_stan=1_000_000)
        load = Load(name="a", rate=200, seconds=0.2, warm_up_s=0.1)

        async with asyncio.timeout(HANGS_AFTER_S), listening(FakeSwitch()) as listener:
            with pytest.raises(OverflowError):
                await Simulator(fleet, "127.0.0.1", listener.port).run(load, process_time)

    async def test_says_that_nobody_listens(self) -> None:
        """A refused connection is an error at the start."""
        async with listening(FakeSwitch()) as listener:
            port = listener.port

        with pytest.raises(ConnectionRefusedError):
            await Simulator(Fleet(1, today()), "127.0.0.1", port).run(
                Load(name="a", in_flight=1), process_time
            )


class TestCommands:
    async def test_returns_what_was_printed(self) -> None:
        """A program that ends well gives its output."""
        said = await commands.run(
            "python", [sys.executable, "-c", "print(1)"], timeout_s=HANGS_AFTER_S
        )

        assert "1\n" == said

    @pytest.mark.parametrize(
        ("code", "timeout_s"), [("raise SystemExit(3)", 60.0), ("import time; time.sleep(60)", 0.3)]
    )
    async def test_fails_on_a_bad_end_or_none(self, code: str, timeout_s: float) -> None:
        """An exit code and a hang are both a failure with a sentence."""
        with pytest.raises(commands.CommandFailed, match="python"):
            await commands.run("python", [sys.executable, "-c", code], timeout_s=timeout_s)

    async def test_leaves_no_process_behind(self, tmp_path: Path) -> None:
        """What was kept running has ended when its block has."""
        log = tmp_path / "log"
        command = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]

        async with commands.running(command, env={}, log=log) as process:
            while not log.read_bytes():  # noqa: ASYNC110 -- a test may poll a file
                await asyncio.sleep(0.01)
            pid = process.pid

        assert "up\n" == log.read_text()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
