"""Two switches on one database: the second waits outside and serves when the first is killed."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from loadtests.embedded_switch import LESKO, Installation, free_ports

pytestmark = pytest.mark.e2e
GUARD_S = 18.0  # Three times what the takeover may take.


@asynccontextmanager
async def _serving(env: dict[str, str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *LESKO, "serve", env={**os.environ, **env}, stdout=out, stderr=out
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _until(web: int, status: int) -> None:
    async with httpx.AsyncClient(timeout=2.0) as client, asyncio.timeout(GUARD_S):
        while True:
            with suppress(httpx.HTTPError):
                if (await client.get(f"http://127.0.0.1:{web}/readyz")).status_code == status:
                    return
            await asyncio.sleep(0.1)


async def test_serves_from_the_second_process_when_the_first_is_killed(
    make_database: Callable[..., Awaitable[str]], tmp_path: Path
) -> None:
    """The second listens only once it holds the books, and these stay clean."""
    dsn, installation = await make_database(), Installation(home=tmp_path)
    await installation.seed(dsn, cards=10, outlets=2)
    port_1, web_1, port_2, web_2 = free_ports(4)

    def env(port: int, web: int) -> dict[str, str]:
        ports = {"LESKO_ISO_BRIDGE__PORT": str(port), "LESKO_WEB__PORT": str(web)}
        return installation.settings(dsn, **ports)

    async with _serving(env(port_1, web_1), tmp_path / "1.log") as first:
        await _until(web_1, 200)
        async with _serving(env(port_2, web_2), tmp_path / "2.log"):
            await _until(web_2, 503)
            with pytest.raises(OSError, match=str(port_2)):
                await asyncio.open_connection("127.0.0.1", port_2)
            first.send_signal(signal.SIGKILL)
            began = time.monotonic()
            await _until(web_2, 200)
            asked = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.cli", "iso", "send", "purchase",
                "--port", str(port_2), "--card-serial", "1", "--amount", "1000.00",
                env={**os.environ, **installation.settings(dsn)},
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            said = (await asked.communicate())[0].decode()
            assert asked.returncode == 0, said
            assert time.monotonic() - began < GUARD_S
    await installation.verify(dsn)
