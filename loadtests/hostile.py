"""``make hostile``: what good terminals feel of bad clients, each kind in pairs with and without.

Everything runs on 127.0.0.1, in a directory of its own that is gone afterwards.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import httpx

from loadtests import machine
from loadtests.commands import CommandFailed, stop
from loadtests.embedded_switch import REPOSITORY, Installation, Switch
from loadtests.fleet import Fleet, today
from loadtests.hostile_clients import ATTACKS
from loadtests.hostile_report import is_sound, print_attacks
from loadtests.postgres import Postgres, open_postgres
from loadtests.program import VAR, Ending, run_program, tell
from loadtests.terminal_simulator import Load, Measured, Simulator

NAME: Final = "hostile"
BOOKS: Final = "lesko_load_hostile"
STANDS_WITHIN_S: Final = 60.0
ENDS_WITHIN_S: Final = 30.0
COUNTERS: Final = ("lesko_bridge_silent_total", "lesko_bridge_closed_total")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run measures."""

    pairs: int = 5
    seconds: float = 6.0
    rate: float = 200.0  # Purchases a second of all good terminals together.
    good: int = 200  # Terminals; the bad one is the next.
    cards: int = 5_000
    first_warm_up_s: float = 8.0
    warm_up_s: float = 1.0


QUICK: Final = Plan(pairs=1, seconds=1.5, cards=500, first_warm_up_s=1.0, warm_up_s=0.3)


class Attacked:
    """One switch, its good terminals, and who attacks it."""

    def __init__(self, plan: Plan, switch: Switch) -> None:
        self._plan = plan
        self._switch = switch
        self._pid = switch.processes["switch"]
        self._simulator = Simulator(Fleet(plan.good, today()), switch.host, switch.port)

    async def run(self) -> list[dict[str, Any]]:
        """Return each kind's pairs."""
        await self._trade("warm-up", self._plan.first_warm_up_s)
        return [await self._attack(kind) for kind in ATTACKS]

    async def _attack(self, kind: str) -> dict[str, Any]:
        pairs, before_kb = [], machine.resident_kb(self._pid)
        for number in range(1, self._plan.pairs + 1):
            quiet = await self._trade(f"{kind} {number}, quiet", self._plan.warm_up_s)
            async with self._attacking(kind) as did:
                loud = await self._trade(f"{kind} {number}, attacked", self._plan.warm_up_s)
                at_worst_kb = machine.resident_kb(self._pid)
            pairs.append({"quiet": quiet, "attacked": loud, "did": did, "resident_kb": at_worst_kb})
            p99 = [one["latency_ms"].get("p99", 0.0) for one in (quiet, loud)]
            tell(f"{kind:12} pair {number}: p99 {p99[0]:.1f} ms, attacked {p99[1]:.1f} ms")
        return {
            "kind": kind,
            "pairs": pairs,
            "resident_kb": [before_kb, machine.resident_kb(self._pid)],
            "counters": await self._counters(),
        }

    async def _trade(self, name: str, warm_up_s: float) -> dict[str, Any]:
        plan = self._plan
        load = Load(
            name=name, rate=plan.rate, cards=plan.cards, seed=NAME, seconds=plan.seconds,
            warm_up_s=warm_up_s,
        )  # fmt: skip
        measured: Measured[None] = await self._simulator.run(load, lambda: None)
        return measured.figures()

    @asynccontextmanager
    async def _attacking(self, kind: str) -> AsyncIterator[dict[str, int]]:
        """Attack until the block ends; what was done is known only then."""
        did: dict[str, int] = {}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "loadtests.hostile_clients", kind),
            *("--port", str(self._switch.port), "--terminal", str(self._plan.good + 1)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=REPOSITORY,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            await _line(process, kind, STANDS_WITHIN_S)
            yield did
            process.stdin.close()
            did |= json.loads(await _line(process, kind, ENDS_WITHIN_S))
        finally:
            await stop(process)

    async def _counters(self) -> dict[str, float]:
        """Return what the switch has counted so far of what it did not answer or hung up on."""
        async with httpx.AsyncClient(timeout=10.0) as client:
            lines = (await client.get(f"{self._switch.web}/metrics")).text.splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line.startswith(COUNTERS))
        return {name: float(value) for name, value in pairs}


async def _line(process: asyncio.subprocess.Process, kind: str, seconds: float) -> bytes:
    """Return the next line of a client; ``CommandFailed`` when there is none in time."""
    assert process.stdout is not None
    try:
        async with asyncio.timeout(seconds):
            line = await process.stdout.readline()
    except TimeoutError:
        line = b""
    if not line:
        message = f"the {kind} clients said nothing within {seconds:.0f} s"
        raise CommandFailed(message)
    return line


async def measure(plan: Plan, *, dsn: str | None, work: Path) -> dict[str, Any]:
    """Run all attacks on one switch and return the whole result."""
    installation = Installation(home=work / "home")
    installation.home.mkdir()
    async with open_postgres(dsn, work) as postgres:
        tell(f"PostgreSQL {postgres.settings['server_version']}")
        books = await postgres.create(BOOKS)
        try:
            await installation.seed(books, cards=plan.cards, outlets=plan.good + 1)
            await postgres.checkpoint()
            async with installation.serve(books) as switch:
                attacks = await Attacked(plan, switch).run()
            verified = await installation.verify(books)
        finally:
            await postgres.drop(BOOKS)
        return _result(plan, postgres, attacks) | {"ledger_verify": verified}


def _result(plan: Plan, postgres: Postgres, attacks: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "machine": machine.describe(postgres.data_directory),
        "versions": machine.versions(),
        "postgres": postgres.settings,
        "plan": asdict(plan),
        "attacks": attacks,
    }


def main() -> int:
    """Measure, print, write; 0 when every good terminal was answered rightly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="see that it works; no figures")
    parser.add_argument("--pairs", type=int, help=f"pairs of each kind (default {Plan().pairs})")
    parser.add_argument("--rate", type=float, help=f"purchases/s (default {Plan().rate:g})")
    parser.add_argument("--results", type=Path, help="directory of the result file")
    parser.add_argument("--work", type=Path, default=VAR, help="where the data live meanwhile")
    asked = parser.parse_args()
    given = {name: value for name in ("pairs", "rate") if (value := getattr(asked, name))}
    plan = replace(QUICK if asked.quick else Plan(), **given)

    async def work(directory: Path, dsn: str | None) -> dict[str, Any]:
        return await measure(plan, dsn=dsn, work=directory)

    ending = Ending(show=print_attacks, is_sound=is_sound)
    return run_program(
        NAME, work, ending, place=asked.work, results=asked.results, quick=asked.quick
    )


if __name__ == "__main__":
    sys.exit(main())
