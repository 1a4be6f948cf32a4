"""Start the lesko command as a real process and watch what it writes; nothing of it stays."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from libs.pg.place import Place
from libs.pg.postmaster import find_running, stop
from libs.tcp import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "services.cli")
WAIT_S = 60.0
LOOK_S = 0.05


class Lesko:
    """The command with a home directory and ports of its own."""

    def __init__(self, home: Path, extra: Mapping[str, str]) -> None:
        self.home = home
        self.edc_port, self.web_port, self.admin_port = free_port(), free_port(), free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("LESKO_")},
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONUNBUFFERED": "1",
            "LESKO_HOME": str(home),
            "LESKO_ISO_BRIDGE__PORT": str(self.edc_port),
            "LESKO_WEB__PORT": str(self.web_port),
            "LESKO_ADMIN__PORT": str(self.admin_port),
            **extra,
        }
        self._started: list[Running] = []

    @property
    def whole_environment(self) -> dict[str, str]:
        """The environment, with roles of the database's own: the server has other tests' too."""
        dsn = self.environment.get("LESKO_POSTGRES__DSN")
        own = {} if dsn is None else {"LESKO_POSTGRES__ROLE_PREFIX": urlsplit(dsn).path[1:]}
        return own | self.environment

    def start(self, *words: str) -> "Running":
        """Start the command and let it run."""
        running = Running(self, words, self.home / f"output-{len(self._started)}.txt")
        self._started.append(running)
        return running

    def call(self, *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        """Run the command to its end."""
        return subprocess.run(
            [*COMMAND, *words], check=False, capture_output=True, text=True, input=given,
            env=self.whole_environment, cwd=self.home, timeout=WAIT_S,
        )  # fmt: skip

    def tell(self, *words: str) -> Any:
        """Run the command with --json and return what it said."""
        done = self.call(*words, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def end(self) -> None:
        """End whatever is still there, the database of a killed run too."""
        for running in self._started:
            running.kill()
        root = self.home / "postgres"
        if left := find_running(Place(root, root, None)):
            asyncio.run(stop(left, seconds=5))


class Running:
    """One started command."""

    def __init__(self, lesko: Lesko, words: tuple[str, ...], output: Path) -> None:
        self._output = output
        with output.open("w") as file:
            self.process = subprocess.Popen(
                [*COMMAND, *words], stdout=file, stderr=subprocess.STDOUT,
                env=lesko.whole_environment, cwd=lesko.home, start_new_session=True,
            )  # fmt: skip

    @property
    def text(self) -> str:
        """Everything that it wrote so far."""
        return self._output.read_text()

    def wait_for(self, words: str, seconds: float = WAIT_S) -> str:
        """Wait until the words were written; return all that was."""
        end = time.monotonic() + seconds
        while words not in self.text:
            assert self.process.poll() is None, f"ended before {words!r}:\n{self.text}"
            assert time.monotonic() < end, f"no {words!r} in {seconds} s:\n{self.text}"
            time.sleep(LOOK_S)
        return self.text

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ask it to stop and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(WAIT_S)

    def kill(self) -> None:
        """End it the hard way, itself alone."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(WAIT_S)


@contextmanager
def a_lesko(home: Path, extra: Mapping[str, str] | None = None) -> Iterator[Lesko]:
    """Give the command on a directory; whatever was started is ended afterwards."""
    lesko = Lesko(home, extra or {})
    try:
        yield lesko
    finally:
        lesko.end()
