"""Processes of a stack: killed, frozen, woken, asked; and ended when their starter is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loadtests.commands import CommandFailed
from loadtests.stack_member import Member

ROOT = Path(__file__).resolve().parents[3]
SERVICE = """
import http.server, os
FIGURES = b'lesko_rows_total{topic="a"} 2.0\\nlesko_rows_total{topic="b"} 3.0\\nlesko_rows 9.0\\n'
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(FIGURES if self.path == "/metrics" else b'{"problems": {"a": "why"}}')
print("started", flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["LESKO_WEB__PORT"])), Answer).serve_forever()
"""
STARTER = """
import subprocess, sys, time
from pathlib import Path
from loadtests.stack_guard import guarded
with guarded(sys.argv[1], None):
    name, _, value = sys.argv[1].partition("=")
    child = subprocess.Popen(["sleep", "600"], env={name: value}, start_new_session=True)
    print(child.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture
async def member(tmp_path: Path) -> AsyncIterator[Member]:
    """Give a started process that is no switch but answers like one."""
    found = Member([sys.executable, "-c", SERVICE], {}, log=tmp_path / "service.log")
    await found.start()
    yield found
    await found.end()


class TestMember:
    async def test_is_ready_unless_it_is_frozen(self, member: Member) -> None:
        """A frozen one accepts connections and says nothing."""
        await member.wait_ready(seconds=20)
        member.freeze()
        frozen = await member.is_ready(), await member.problems()
        member.wake()

        assert (False, {"http": "nobody answers (TimeoutError)"}) == frozen
        assert await member.is_ready()

    async def test_keeps_its_ports_and_its_log_through_restarts(self, member: Member) -> None:
        """Another process, the same address."""
        await member.wait_ready(seconds=20)
        first, port = member.pid, member.web_port
        await member.kill()
        was_running = member.is_running
        await member.restart()
        await member.wait_ready(seconds=20)

        assert not was_running
        assert (first, port) != (member.pid, port)
        assert (2, port) == (member.count_said("started"), member.web_port)

    async def test_tells_of_its_figures_and_its_problems(self, member: Member) -> None:
        """A figure is summed over its labels, and taken by its whole name."""
        await member.wait_ready(seconds=20)

        assert 5.0 == await member.figure("lesko_rows_total")
        assert 9.0 == await member.figure("lesko_rows")
        assert {"a": "why"} == await member.problems()

    async def test_ends_when_it_is_asked_to(self, member: Member) -> None:
        """SIGTERM reaches a frozen one too."""
        await member.wait_ready(seconds=20)
        member.freeze()

        assert -signal.SIGTERM == await member.stop(seconds=20)

    async def test_says_how_it_ended_instead_of_getting_ready(self, tmp_path: Path) -> None:
        """Its last words stand in the failure."""
        broken = Member(
            [sys.executable, "-c", "raise SystemExit('no keys')"], {}, log=tmp_path / "broken.log"
        )
        await broken.start()

        with pytest.raises(CommandFailed, match="broken: the switch ended with 1: no keys"):
            await broken.wait_ready(seconds=20)


class TestGuard:
    def test_ends_what_a_killed_run_had_started(self, tmp_path: Path) -> None:
        """The starter is killed with -9; its child is gone soon."""
        mark = f"LESKO_HOME={tmp_path}"
        starter = subprocess.Popen(
            [sys.executable, "-c", STARTER, mark], stdout=subprocess.PIPE, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
        )  # fmt: skip
        assert starter.stdout is not None
        child = int(starter.stdout.readline())
        was_there = _is_alive(child)
        starter.kill()
        starter.communicate()
        end = time.monotonic() + 20
        while _is_alive(child) and time.monotonic() < end:
            time.sleep(0.02)

        assert was_there
        assert not _is_alive(child)


def _is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
