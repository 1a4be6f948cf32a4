"""A process of a trial, with a shell script in the switch's place."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter_ns

import pytest

from loadtests.commands import CommandFailed
from loadtests.takeover_process import Instance

SERVER = """
import http.server, os
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
    def log_message(self, *_):
        pass
print("up", flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["LESKO_WEB__PORT"])), Ready).serve_forever()
"""


@asynccontextmanager
async def started(tmp_path: Path, *command: str) -> AsyncIterator[Instance]:
    instance = Instance(command, {"LESKO_HOME": "x"}, log=tmp_path / "log")
    await instance.start()
    try:
        async with asyncio.timeout(20):
            yield instance
    finally:
        await instance.end()


async def test_is_ready_when_readyz_says_so(tmp_path: Path) -> None:
    """Nobody there is not ready; 200 is; killed and started again it is ready again."""
    async with started(tmp_path, sys.executable, "-c", SERVER) as instance:
        first_ns = await instance.until_ready()
        await instance.kill()
        began_ns = await instance.start()
        again_ns = await instance.until_ready()

    assert first_ns < began_ns < again_ns


async def test_is_ended_even_when_frozen(tmp_path: Path) -> None:
    """A stopped process is woken and ended; ending twice is no error."""
    async with started(tmp_path, "sh", "-c", "echo up; exec sleep 60") as instance:
        await instance.until_said("up")
        instance.freeze()

    await instance.end()
    with pytest.raises(CommandFailed, match="ended with -"):
        await instance.until_said("never")


async def test_says_why_it_ended(tmp_path: Path) -> None:
    """Waiting for a process that has ended fails with its last words."""
    async with started(tmp_path, "sh", "-c", "echo no such port; exit 3") as instance:
        with pytest.raises(CommandFailed, match="ended with 3: no such port"):
            await instance.until_ready()


async def test_gets_no_setting_of_the_callers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LESKO_* of this process stays here; what was given and the ports go along."""
    monkeypatch.setenv("LESKO_POSTGRES__DSN", "postgresql://elsewhere")
    async with started(tmp_path, "sh", "-c", "env | sort; exec sleep 60") as instance:
        await instance.until_said("PYTHONUNBUFFERED")
        said = (tmp_path / "log").read_text()

    assert "elsewhere" not in said
    assert "LESKO_HOME=x" in said
    assert f"LESKO_ISO_BRIDGE__PORT={instance.port}" in said


async def test_finds_events_after_a_moment(tmp_path: Path) -> None:
    """The first of a name counts, from the moment on; lines for people are passed over."""
    at = datetime.now(UTC).timestamp()
    began_ns = perf_counter_ns()
    events = [("ready", -5.0), ("ready", 2.0), ("ready", 3.0), ("stopped", 4.0)]
    lines = ["words", "{}"] + [
        json.dumps({"event": name, "ts": datetime.fromtimestamp(at + s, UTC).isoformat()})
        for name, s in events
    ]
    (tmp_path / "lines").write_text("\n".join([*lines, "end", ""]))
    async with started(tmp_path, "sh", "-c", f"cat {tmp_path}/lines; exec sleep 60") as instance:
        await instance.until_said("end")
        found = instance.events_ms(began_ns, "ready", "starting")

    assert ["ready"] == list(found)
    assert 1_900 < found["ready"] < 2_100
