"""The switch under load as one process on the memory bus; and what every switch is set up with."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Final

import httpx

from libs.tcp import free_ports
from loadtests import commands

REPOSITORY: Final = Path(__file__).resolve().parent.parent
LESKO: Final = (sys.executable, "-m", "services.cli")
READY_WITHIN_S: Final = 60.0
SEED_WITHIN_S: Final = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Where a running switch listens, and which processes it is, by name."""

    host: str
    port: int
    processes: Mapping[str, int]
    web: str = ""  # Where its /metrics are; nothing where each process has its own.


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A home directory with the keys that all its databases share.

    ``knobs`` are LESKO_* settings that are tried out; none: the defaults of the product.
    """

    home: Path
    knobs: Mapping[str, str] = field(default_factory=dict)

    def settings(self, dsn: str, **more: str) -> dict[str, str]:
        """Return the environment of a command on one database."""
        return {
            "PYTHONPATH": str(REPOSITORY),  # Whatever directory it works in.
            "LESKO_HOME": str(self.home),
            "LESKO_POSTGRES__DSN": dsn,
            "LESKO_POSTGRES__ROLE_PREFIX": self.role_prefix,  # A server may have other ones, too.
            **self.knobs,
            **more,
        }

    @property
    def role_prefix(self) -> str:
        """What the services' roles begin with, for this installation alone."""
        return f"lesko_{blake2b(bytes(self.home.absolute()), digest_size=5).hexdigest()}"

    def remove_logs(self) -> None:
        """Forget what its processes have said: a line a purchase adds up."""
        for log in self.home.glob("*.log"):
            log.unlink()

    async def seed(self, dsn: str, *, cards: int, outlets: int) -> None:
        """Migrate an empty database and fill it with demo data."""
        env = self.settings(dsn)
        await commands.run("lesko migrate", [*LESKO, "migrate"], env=env, timeout_s=120)
        await commands.run(
            "lesko seed",
            [*LESKO, "seed", "--cards", str(cards), "--outlets", str(outlets)],
            env=env, timeout_s=SEED_WITHIN_S,
        )  # fmt: skip

    async def verify(self, dsn: str) -> str:
        """Let the ledger verify its own books; ``CommandFailed`` when they are not clean."""
        return await commands.run(
            "lesko ledger verify",
            [*LESKO, "ledger", "verify"],
            env=self.settings(dsn),
            timeout_s=600,
        )

    @asynccontextmanager
    async def serve(self, dsn: str) -> AsyncIterator[Switch]:
        """Run the switch until the block ends; it is ready when the block begins.

        ``CommandFailed`` when it does not get ready or ends before the block.
        """
        port, web = islice(free_ports(), 2)
        env = self.settings(
            dsn,
            LESKO_ISO_BRIDGE__HOST="127.0.0.1",
            LESKO_ISO_BRIDGE__PORT=str(port),
            LESKO_WEB__HOST="127.0.0.1",
            LESKO_WEB__PORT=str(web),
        )
        log = self.home / "switch.log"
        async with commands.running([*LESKO, "serve"], env=env, log=log) as process:
            await _until_ready(process, f"http://127.0.0.1:{web}/readyz", log)
            try:
                yield Switch(
                    host="127.0.0.1",
                    port=port,
                    processes={"switch": process.pid},
                    web=f"http://127.0.0.1:{web}",
                )
            except OSError as trouble:  # Its port or its process is gone.
                raise _failed(f"did not last ({trouble})", log) from trouble


async def _until_ready(process: asyncio.subprocess.Process, url: str, log: Path) -> None:
    try:
        async with httpx.AsyncClient(timeout=2.0) as client, asyncio.timeout(READY_WITHIN_S):
            while not await _is_ready(client, url):
                if process.returncode is not None:
                    raise _failed(f"ended with {process.returncode}", log)
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise _failed(f"was not ready within {READY_WITHIN_S:.0f} s", log) from None


def _failed(what: str, log: Path) -> commands.CommandFailed:
    said = commands.last_lines(log.read_bytes(), count=2)
    return commands.CommandFailed(f"the switch {what}: {said}")


async def _is_ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
