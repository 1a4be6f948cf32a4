"""``make rolling``: restarts each process of the switch on Kafka in order, amid purchases.

Everything runs on 127.0.0.1, in a directory of its own that is gone afterwards.
"""

import argparse
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from loadtests import machine
from loadtests.embedded_switch import Installation
from loadtests.entries import read_heads
from loadtests.fleet import Fleet, today
from loadtests.postgres import Postgres, open_postgres
from loadtests.program import VAR, Ending, run_program, tell
from loadtests.rolling_report import is_sound, print_rolls
from loadtests.rolling_terminals import Trade
from loadtests.rolling_trials import BRIDGES, QUICK, Plan, Rolling, Round, add_members
from loadtests.separate_switch import broker_version
from loadtests.stack import Stack, open_stack

NAME: Final = "rolling"
BOOKS: Final = "lesko_load_rolling"


async def measure(plan: Plan, *, dsn: str | None, work: Path) -> dict[str, Any]:
    """Run all rounds and return the whole result."""
    async with open_postgres(dsn, work) as postgres:
        tell(f"PostgreSQL {postgres.settings['server_version']}")
        try:
            rounds = await _roll(plan, postgres, work)
        finally:
            await postgres.drop(BOOKS)
        return {
            "machine": machine.describe(postgres.data_directory),
            "versions": machine.versions() | {"kafka": broker_version()},
            "postgres": postgres.settings,
            "plan": asdict(plan),
            "rounds": rounds,
        }


async def _roll(plan: Plan, postgres: Postgres, work: Path) -> list[dict[str, Any]]:
    books = await postgres.create(BOOKS)
    installation = Installation(home=work / "home")
    async with open_stack(work / "stack", dsn=books, installation=installation, tell=tell) as stack:
        tell(f"seeding {plan.cards:,} cards and {plan.outlets:,} outlets")
        await stack.prepare(cards=plan.cards, outlets=plan.outlets)
        begins = await read_heads(books)
        add_members(stack)
        await postgres.checkpoint()
        await stack.start()
        trade = _terminals(plan, stack)
        try:
            await Rolling(stack, trade).wait_whole()
            one, found = Round(plan, stack, begins, tell), list[dict[str, Any]]()
            for number in range(1, plan.rounds + 1):
                tell(f"round {number}: {plan.rate:g} purchases/s, {len(stack.members)} processes")
                warm_up_s = 0.0 if found else plan.first_warm_up_s
                found.append(await one.run(trade, warm_up_s=warm_up_s))
        finally:
            await trade.hang_up()
        return found


def _terminals(plan: Plan, stack: Stack) -> Trade:
    ports = [stack[name].port for name in BRIDGES]
    fleet = Fleet(plan.outlets, today())
    return Trade(fleet, ports, cards=plan.cards, rate=plan.rate, seed=NAME)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="see that it works; no figures")
    parser.add_argument("--rounds", type=int, help=f"rounds (default {Plan().rounds})")
    parser.add_argument("--rate", type=float, help=f"purchases/s (default {Plan().rate:g})")
    parser.add_argument("--keep-logs", type=Path, help="where the processes' logs are kept")
    parser.add_argument("--results", type=Path, help="directory of the result file")
    parser.add_argument("--work", type=Path, default=VAR, help="where the data live meanwhile")
    return parser.parse_args()


def _plan(asked: argparse.Namespace) -> Plan:
    given = {
        name: getattr(asked, name)
        for name in ("rounds", "rate")
        if getattr(asked, name) is not None
    }
    return replace(QUICK if asked.quick else Plan(), **given)


def main() -> int:
    """Restart, print, write; 0 when every check held, however long restarts were felt."""
    asked = _asked()

    async def work(directory: Path, dsn: str | None) -> dict[str, Any]:
        return await measure(_plan(asked), dsn=dsn, work=directory)

    def keep_logs(directory: Path) -> None:
        if asked.keep_logs is not None:
            asked.keep_logs.mkdir(parents=True, exist_ok=True)
            for log in (directory / "home").glob("*.log"):
                shutil.copy(log, asked.keep_logs)

    ending = Ending(show=print_rolls, is_sound=is_sound, leave=keep_logs)
    return run_program(
        NAME, work, ending, place=asked.work, results=asked.results, quick=asked.quick
    )


if __name__ == "__main__":
    sys.exit(main())
