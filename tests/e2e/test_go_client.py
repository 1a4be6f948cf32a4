"""A client built on another maker's library is understood, from the wire page alone."""

import asyncio
import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from libs.tcp import free_port
from tests.conftest import MakeDatabase

CLIENT = Path(__file__).parent / "go_client"
REPOSITORY = Path(__file__).parents[2]
STEPS = (
    "sign-on",
    "echo",
    "purchase",
    "repeat",
    "repeat 0201",
    "other amount",
    "inquiry",
    "restricted purse",
    "reversal",
    "reversal again",
    "reversal advice",
    "repeat after reversal",
    "early reversal",
    "purchase after its reversal",
    "blocked card",
    "wrong outlet",
    "unknown card",
    "empty purse",
    "no amount",
    "unknown MTI",
)
BUILD_SECONDS = 120
RUN_SECONDS = 60


async def _run(
    *command: str, seconds: int, env: Mapping[str, str], cwd: Path
) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return process.returncode, output.decode()


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


async def _await_ready(port: int) -> None:
    give_up = time.monotonic() + RUN_SECONDS
    while not await asyncio.to_thread(_is_ready, port):
        assert time.monotonic() < give_up, "The switch did not become ready."
        await asyncio.sleep(0.1)


async def _build(to: Path) -> Path:
    if shutil.which("go") is None:
        pytest.skip("Go is not installed")
    binary = to / "client"
    command = ("go", "build", "-o", str(binary), ".")
    code, output = await _run(*command, seconds=BUILD_SECONDS, env=os.environ, cwd=CLIENT)
    assert code == 0, output
    return binary


async def test_understands_every_step_of_another_makers_client(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    """A moov-io/iso8583 client gets the promised answer in every step."""
    binary = await _build(tmp_path)
    port, web_port = free_port(), free_port()
    env = {
        **os.environ,
        "LESKO_HOME": str(tmp_path),
        "LESKO_POSTGRES__DSN": await make_database(),
        "LESKO_ISO_BRIDGE__PORT": str(port),
        "LESKO_WEB__PORT": str(web_port),
    }
    lesko = (sys.executable, "-m", "services.cli")
    for words in (("migrate",), ("seed", "--cards", "100", "--outlets", "2")):
        code, output = await _run(*lesko, *words, seconds=RUN_SECONDS, env=env, cwd=REPOSITORY)
        assert code == 0, output
    with (tmp_path / "serve.log").open("wb") as log:
        switch = await asyncio.create_subprocess_exec(
            *lesko, "serve", cwd=REPOSITORY, env=env, stdout=log, stderr=log
        )
        try:
            await _await_ready(web_port)
            command = (str(binary), f"127.0.0.1:{port}")
            code, output = await _run(*command, seconds=RUN_SECONDS, env=env, cwd=tmp_path)
        finally:
            switch.terminate()
            await asyncio.wait_for(switch.wait(), 20)
    assert output.splitlines() == [f"OK {step}" for step in STEPS]
    assert code == 0
