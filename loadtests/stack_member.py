"""One process of a stack: started, killed, frozen, woken, stopped, and asked how it is."""

import asyncio
import json
import signal
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Final

from loadtests.commands import CommandFailed, last_lines
from loadtests.takeover_process import HOST, LOOK_EVERY_S, Instance

READY_WITHIN_S: Final = 60.0
STOP_WITHIN_S: Final = 30.0
ANSWER_WITHIN_S: Final = 2.0


class Member(Instance):
    """A process on ports of its own, the same ones through all its starts."""

    @property
    def pid(self) -> int:
        """The process now; another one after a start. ``CommandFailed`` before the first."""
        return self._running().pid

    @property
    def web_port(self) -> int:
        """Where it tells of its health and its figures."""
        return self._web

    @property
    def is_running(self) -> bool:
        """Tell whether its process is there, frozen or not."""
        return self._process is not None and self._process.returncode is None

    def run_by(self, command: Sequence[str]) -> None:
        """Be started by another command from the next start on, with the same settings."""
        self._command = command

    def signal(self, number: signal.Signals) -> None:
        """Send any signal."""
        self._signal(number)

    def wake(self) -> None:
        """Let it go on after a freeze."""
        self._signal(signal.SIGCONT)

    async def stop(self, *, seconds: float = STOP_WITHIN_S) -> int:
        """Ask it to end with SIGTERM and return its exit code; after ``seconds`` it is killed."""
        if self.is_running:
            self._signal(signal.SIGCONT)
            self._signal(signal.SIGTERM)
        return await self.ended(seconds=seconds)

    async def ended(self, *, seconds: float) -> int:
        """Wait for its end and return its exit code; after ``seconds`` it is killed."""
        process = self._running()
        try:
            async with asyncio.timeout(seconds):
                return await process.wait()
        except TimeoutError:
            await self.kill()
            return process.returncode or 0

    async def restart(self) -> None:
        """Start it, after it has ended in order where it runs; it need not be ready yet."""
        if self.is_running:
            await self.stop()
        await self.start()

    async def wait_ready(self, *, seconds: float = READY_WITHIN_S) -> float:
        """Wait until /readyz says 200; return after how many seconds. Else ``CommandFailed``."""
        began = monotonic()
        while not await self.is_ready():
            if not self.is_running:
                raise self._failed(f"ended with {self._running().returncode}")
            if monotonic() - began > seconds:
                raise self._failed(f"had {seconds:.0f} s: {await self.problems()}")
            await asyncio.sleep(LOOK_EVERY_S)
        return monotonic() - began

    async def problems(self) -> dict[str, str]:
        """Return what /readyz complains of, by check; all of it when nobody answers there."""
        try:
            found = json.loads(await self._get("/readyz"))
        except (OSError, TimeoutError, ValueError) as silent:
            return {"http": f"nobody answers ({type(silent).__name__})"}
        problems: dict[str, str] = found["problems"]
        return problems

    async def figure(self, name: str) -> float:
        """Return the sum of a figure of /metrics over its labels; 0 where it does not stand."""
        lines = (await self._get("/metrics")).decode().splitlines()
        return sum(
            float(line.rpartition(" ")[2])
            for line in lines
            if line.startswith((f"{name} ", f"{name}{{"))
        )

    async def is_ready(self) -> bool:
        """Tell whether /readyz says 200 now."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):  # A frozen one accepts and says nothing.
                return await self._is_ready()
        except TimeoutError:
            return False

    def last_words(self) -> str:
        """Return the last two lines of its output."""
        return last_lines(self._said(), count=2)

    def count_said(self, words: str) -> int:
        """Count how often its output held these words, over all its starts."""
        return self._log.read_bytes().count(words.encode())

    async def _get(self, path: str) -> bytes:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            reader, writer = await asyncio.open_connection(HOST, self._web)
            try:
                request = f"GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
                writer.write(request.encode())
                _, _, body = (await reader.read()).partition(b"\r\n\r\n")
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
        return body

    def _failed(self, what: str) -> CommandFailed:
        return CommandFailed(f"{self._log.stem}: {super()._failed(what)}")
