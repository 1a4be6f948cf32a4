"""The yardstick: pgbench's tpcb-like on the same server, so that figures stay comparable."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from loadtests import commands
from loadtests.dsn import without_password

CLIENTS: Final = 8
THREADS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """Where pgbench is, which database it may fill, how long it measures."""

    program: Path
    dsn: str
    scale: int
    seconds: int

    async def fill(self) -> None:
        """Create and fill its tables."""
        await self._run("-i", "-q", "-s", str(self.scale), timeout_s=600)

    async def measure(self) -> dict[str, Any]:
        """Run it once, alone, and return its rate and everything that it printed."""
        raw = await self._run(
            "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", str(THREADS),
            "-T", str(self.seconds), timeout_s=self.seconds + 120,
        )  # fmt: skip
        return {"tps": tps_in(raw), "raw": raw}

    async def _run(self, *arguments: str, timeout_s: float) -> str:
        place, password = without_password(self.dsn)
        return await commands.run(
            "pgbench",
            [str(self.program), *arguments, place],
            env={"PGPASSWORD": password} if password else {},
            timeout_s=timeout_s,
        )


def tps_in(raw: str) -> float:
    """Find the rate in what pgbench printed; ``CommandFailed`` when there is none."""
    found = re.search(r"^tps = ([0-9.]+)", raw, re.MULTILINE)
    if found is None:
        message = "pgbench printed no rate"
        raise commands.CommandFailed(message)
    return float(found[1])


def find_pgbench(postmaster: int | None, hints: list[Path]) -> Path | None:
    """Find the program beside the running server's own, then in the hinted directories."""
    places = list(hints)
    if postmaster is not None:
        try:
            places.insert(0, Path(f"/proc/{postmaster}/exe").readlink().parent)
        except OSError:
            places = list(hints)
    return next((place / "pgbench" for place in places if (place / "pgbench").is_file()), None)
