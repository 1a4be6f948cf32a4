"""``make rolling``: restarts each process of the switch on Kafka in order, amid purchases.

Everything runs on 127.0.0.1, in a directory of its own that is gone afterwards.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import uvloop

from libs.clock import SystemClock, business_day
from libs.outcome import Fault
from loadtests import machine
from loadtests.commands import CommandFailed
from loadtests.embedded_switch import Installation
from loadtests.entries import read_heads
from loadtests.fleet import Fleet, today
from loadtests.postgres import Postgres, open_postgres
from loadtests.rolling_report import is_sound, print_rolls
from loadtests.rolling_terminals import Trade
from loadtests.rolling_trials import BRIDGES, QUICK, Plan, Rolling, Round, add_members
from loadtests.run import DSN_VARIABLE, REPOSITORY, RESULTS, VAR, result_file
from loadtests.separate_switch import broker_version
from loadtests.stack import Stack, open_stack
from loadtests.takeover_process import clean_environment

NAME: Final = "rolling"
BOOKS: Final = "lesko_load_rolling"


async def measure(plan: Plan, *, dsn: str | None, work: Path) -> dict[str, Any]:
    """Run all rounds and return the whole result."""
    async with open_postgres(dsn, work) as postgres:
        _tell(f"PostgreSQL {postgres.settings['server_version']}")
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
    async with open_stack(
        work / "stack", dsn=books, installation=installation, tell=_tell
    ) as stack:
        _tell(f"seeding {plan.cards:,} cards and {plan.outlets:,} outlets")
        await stack.prepare(cards=plan.cards, outlets=plan.outlets)
        begins = await read_heads(books)
        add_members(stack)
        await postgres.checkpoint()
        await stack.start()
        trade = _terminals(plan, stack)
        try:
            await Rolling(stack, trade).wait_whole()
            one, found = Round(plan, stack, begins, _tell), list[dict[str, Any]]()
            for number in range(1, plan.rounds + 1):
                _tell(f"round {number}: {plan.rate:g} purchases/s, {len(stack.members)} processes")
                warm_up_s = 0.0 if found else plan.first_warm_up_s
                found.append(await one.run(trade, warm_up_s=warm_up_s))
        finally:
            await trade.hang_up()
        return found


def _terminals(plan: Plan, stack: Stack) -> Trade:
    ports = [stack[name].port for name in BRIDGES]
    fleet = Fleet(plan.outlets, today())
    return Trade(fleet, ports, cards=plan.cards, rate=plan.rate, seed=NAME)


async def _until_told_to_stop(plan: Plan, **more: Any) -> dict[str, Any]:
    """Let Ctrl-C and SIGTERM end what was started, then us; a second one does not disturb that."""
    task, loop = asyncio.ensure_future(measure(plan, **more)), asyncio.get_running_loop()

    def end() -> None:
        if not task.cancelling():
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    return await task


def _keep_logs(work: Path, place: Path | None) -> None:
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
        for log in (work / "home").glob("*.log"):
            shutil.copy(log, place)


def _tell(sentence: str) -> None:
    print(sentence, flush=True)


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
    work = asked.work.resolve() / f"{NAME}-{os.getpid()}"
    work.mkdir(parents=True)
    day = business_day(SystemClock().now_ms(), ZoneInfo("UTC"))
    dsn = os.environ.get(DSN_VARIABLE) or None
    for name in set(os.environ) - set(clean_environment()):
        del os.environ[name]  # What is measured has its defaults, whatever is set around us.
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            found = runner.run(_until_told_to_stop(_plan(asked), dsn=dsn, work=work))
    except (CommandFailed, Fault) as failed:
        print(f"{NAME}: {failed}", file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        print(f"{NAME}: stopped; everything that was started has ended", file=sys.stderr)
        return 130
    finally:
        _keep_logs(work, asked.keep_logs)
        shutil.rmtree(work, ignore_errors=True)
    result = {"name": NAME, "date": day.isoformat(), "quick": asked.quick, **found}
    directory = asked.results or (VAR / "load" if asked.quick else RESULTS)
    directory.mkdir(parents=True, exist_ok=True)
    file = result_file(directory, day, NAME)
    file.write_text(json.dumps(result, indent=1) + "\n")
    print_rolls(result)
    print(f"written to {file.relative_to(REPOSITORY) if file.is_relative_to(REPOSITORY) else file}")
    return 0 if is_sound(result) else 1


if __name__ == "__main__":
    sys.exit(main())
