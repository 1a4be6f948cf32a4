"""Directories and processes for tests of the embedded server."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from libs.pg.server import start_server

REPOSITORY = Path(__file__).parents[4]
SUPERVISOR = """
import asyncio, json, sys
from pathlib import Path
from libs.pg import server

async def main():
    said = []
    async with server.start_server(
        Path(sys.argv[1]), shared_buffers_mb=32, report=said.append
    ) as it:
        print(json.dumps({
            "dsn": it.dsn, "pid": it.pid, "adopted": it.is_adopted, "said": said,
            "guard": it._postmaster._guard.pid,
        }), flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


class Supervisor:
    """A process of its own that runs ``start_server`` until its input ends."""

    def __init__(self, root: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, root],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def told(self) -> dict[str, Any]:
        """Wait until the server runs; return what the process says of it."""
        assert self._process.stdout
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told

    def end(self) -> int:
        """Let it end in order; return its exit code."""
        self._process.communicate(timeout=60)
        return self._process.returncode

    def kill(self) -> None:
        """End it the hard way; what it started is on its own."""
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate(timeout=60)


@pytest.fixture
def empty_root(open_directory: Callable[[], AbstractContextManager[Path]]) -> Iterator[Path]:
    """Give a directory that every user can reach, which pytest's own is not."""
    with open_directory() as directory:
        yield directory / "postgres"


@pytest.fixture(scope="session")
def made_root(open_directory: Callable[[], AbstractContextManager[Path]]) -> Iterator[Path]:
    """Make a database once; tests get copies, which is quicker."""

    async def make(directory: Path) -> None:
        async with start_server(directory, shared_buffers_mb=32):
            pass

    with (
        open_directory() as directory,
        asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner,
    ):
        runner.run(make(directory / "postgres"))
        yield directory / "postgres"


@pytest.fixture
def root(made_root: Path, empty_root: Path) -> Path:
    """Give a directory with a database in it, which ran once."""
    subprocess.run(["cp", "-a", made_root, empty_root], check=True)
    return empty_root


@pytest.fixture
def supervise(root: Path) -> Iterator[Callable[[], Supervisor]]:
    """Give ``supervise() -> Supervisor``; whatever still runs is ended afterwards."""
    started: list[Supervisor] = []

    def start() -> Supervisor:
        started.append(Supervisor(root))
        return started[-1]

    yield start
    for each in started:
        each.end()
