"""Other programs as children: started in a session of their own, ended by us alone."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

STOP_WITHIN_S: Final = 15.0


class CommandFailed(Exception):
    """A program did not do what it was started for; the message is for the reader."""


async def run(
    name: str, command: Sequence[str], *, env: Mapping[str, str] | None = None, timeout_s: float
) -> str:
    """Run a program to its end and return what it printed; ``CommandFailed`` otherwise.

    ``name`` stands in the failure's sentence. The program ends with us: a cancelled wait, or one
    longer than ``timeout_s``, ends it.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(env or {})},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(timeout_s):
            out, err = await process.communicate()
    except TimeoutError:
        message = f"{name} did not end within {timeout_s:.0f} s"
        raise CommandFailed(message) from None
    finally:
        await stop(process)
    if process.returncode:
        message = f"{name} ended with {process.returncode}: {last_lines(err or out)}"
        raise CommandFailed(message)
    return out.decode(errors="replace")


async def stop(process: asyncio.subprocess.Process) -> None:
    """Ask the process to end, then make it end."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


@asynccontextmanager
async def running(
    command: Sequence[str], *, env: Mapping[str, str], log: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Keep a program running; what it prints goes to ``log``."""
    with log.open("ab") as sink:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env={**os.environ, **env},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        await stop(process)


def last_lines(text: bytes, count: int = 5) -> str:
    """Return the last lines of an output in one line, for a message."""
    return " / ".join(text.decode(errors="replace").strip().splitlines()[-count:])
