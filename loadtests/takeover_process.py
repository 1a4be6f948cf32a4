"""Switch processes of a trial: started, killed, frozen and ended, each moment taken down."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from time import monotonic, perf_counter_ns, time_ns
from typing import Final

from libs.tcp import free_ports
from loadtests.commands import CommandFailed, last_lines

HOST: Final = "127.0.0.1"
LOOK_EVERY_S: Final = 0.05  # A look at /readyz costs the starting process a millisecond.
WITHIN_S: Final = 120.0
END_WITHIN_S: Final = 30.0
OK: Final = b" 200 "


class Instance:
    """One process that serves terminals and /readyz on ports of its own, the same at each start.

    It runs in a session of its own; none of the caller's LESKO_* settings reaches it. Moments are
    those of ``perf_counter_ns``.
    """

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        *,
        log: Path,
        cwd: Path | None = None,
    ) -> None:
        self.port, self._web, admin = islice(free_ports(), 3)
        self._command = command
        self._env = clean_environment() | {
            "LESKO_ADMIN__PORT": str(admin),  # Two switches stand side by side.
            **env,
            "LESKO_ISO_BRIDGE__HOST": HOST,
            "LESKO_ISO_BRIDGE__PORT": str(self.port),
            "LESKO_WEB__HOST": HOST,
            "LESKO_WEB__PORT": str(self._web),
            "PYTHONUNBUFFERED": "1",
        }
        self._log, self._cwd = log, cwd
        self._log_start = 0
        self._started_s = 0.0
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> int:
        """Start the process; return the moment before that."""
        with self._log.open("ab") as sink:
            self._log_start = sink.tell()
            self._started_s, began_ns = monotonic(), perf_counter_ns()
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
                env=self._env, cwd=self._cwd, start_new_session=True,
            )  # fmt: skip
        return began_ns

    async def kill(self) -> int:
        """Kill it with -9 and wait until it is gone; return the moment before that."""
        began_ns = perf_counter_ns()
        self._signal(signal.SIGKILL)
        await self._running().wait()
        return began_ns

    def freeze(self) -> int:
        """Stop it where it is, as a machine does that swaps; return the moment before that."""
        began_ns = perf_counter_ns()
        self._signal(signal.SIGSTOP)
        return began_ns

    async def end(self) -> None:
        """Let it end in order, a frozen one too, then the hard way; idempotent."""
        if self._process is None or self._process.returncode is not None:
            return
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGINT)
        try:
            async with asyncio.timeout(END_WITHIN_S):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    async def until_ready(self) -> int:
        """Return the moment at which /readyz first said 200."""
        while not await self._is_ready():
            await self._look_again("/readyz did not say 200")
        return perf_counter_ns()

    async def until_said(self, words: str) -> int:
        """Return the moment at which its output first held the words."""
        while words.encode() not in self._said():
            await self._look_again(f"it did not say {words!r}")
        return perf_counter_ns()

    def events_ms(self, began_ns: int, *names: str) -> dict[str, int]:
        """Return when its log first told of these events, in ms after a moment."""
        found: dict[str, int] = {}
        began_at = (time_ns() - perf_counter_ns() + began_ns) / 1e9
        for line in self._said().splitlines():
            try:
                told = json.loads(line)
                name, at = told["event"], datetime.fromisoformat(told["ts"]).timestamp()
            except (ValueError, KeyError, TypeError):
                continue  # A line for people.
            if name in names and at > began_at:
                found.setdefault(name, round((at - began_at) * 1000))
        return found

    async def _look_again(self, complaint: str) -> None:
        """Wait a moment; ``CommandFailed`` when the process has ended or had its time."""
        if (code := self._running().returncode) is not None:
            raise self._failed(f"ended with {code}")
        if monotonic() - self._started_s > WITHIN_S:
            raise self._failed(f"had {WITHIN_S:.0f} s, but {complaint}")
        await asyncio.sleep(LOOK_EVERY_S)

    async def _is_ready(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection(HOST, self._web)
        except OSError:
            return False
        try:
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            return OK in await reader.readline()
        except OSError:
            return False
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            message = "it was never started"
            raise CommandFailed(message)
        return self._process

    def _signal(self, number: signal.Signals) -> None:
        """Tell the whole session: make and what make started are one thing here."""
        os.killpg(self._running().pid, number)

    def _said(self) -> bytes:
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            return log.read()

    def _failed(self, what: str) -> CommandFailed:
        return CommandFailed(f"the switch {what}: {last_lines(self._said(), count=2)}")


def clean_environment() -> dict[str, str]:
    """Return this process's environment without settings of the switch."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LESKO_")}


def ms_between(began_ns: int, ended_ns: int) -> float:
    """Return milliseconds from one moment to the other."""
    return round((ended_ns - began_ns) / 1e6, 1)
