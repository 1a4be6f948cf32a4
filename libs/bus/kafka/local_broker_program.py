"""Run Java's and Maven's short programs to their end; the broker itself is no such program."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from libs.bus.kafka.local_broker_trouble import LocalBrokerFault, explain

__all__ = ["run_program"]


async def run_program(
    command: Sequence[str], *, seconds: float, directory: Path = Path("/")
) -> tuple[int, str]:
    """Return the exit code and all that was written; raises LocalBrokerFault.

    The program is ended when it takes longer than ``seconds`` or nobody waits for it any more.
    """
    try:
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=directory,
        )
    except OSError as error:
        raise LocalBrokerFault(f"{command[0]} does not start: {explain(str(error))}") from error
    try:
        async with asyncio.timeout(seconds):
            said, _ = await child.communicate()
    except TimeoutError:
        raise LocalBrokerFault(f"{command[0]} was not done after {seconds:g} s.") from None
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    return child.returncode or 0, said.decode(errors="replace")
