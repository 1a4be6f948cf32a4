"""``make takeover``: how soon a restarted or a second switch serves, and ``make run`` itself.

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
from loadtests.postgres import Postgres, open_postgres
from loadtests.run import DSN_VARIABLE, REPOSITORY, RESULTS, VAR, result_file
from loadtests.takeover_make_run import measure_make_run, need_installed
from loadtests.takeover_report import is_sound, print_starts
from loadtests.takeover_trials import QUICK, SEEDED, Plan, Trials

NAME: Final = "takeover"


async def measure(plan: Plan, *, dsn: str | None, work: Path, clone: Path) -> dict[str, Any]:
    """Run all rounds and return the whole result."""
    if plan.has_make_run:
        need_installed(clone)
    async with open_postgres(dsn, work) as postgres:
        print(f"PostgreSQL {postgres.settings['server_version']}", flush=True)
        try:
            trials = await _prepare(plan, postgres, work)
            rounds = []
            for number in range(1, plan.rounds + 1):
                found = await trials.run(number)
                if plan.has_make_run:
                    found["trials"] += await measure_make_run(clone, work, _tell)
                rounds.append(found)
        finally:
            await postgres.drop(SEEDED)
        return {
            "machine": machine.describe(postgres.data_directory),
            "versions": machine.versions(),
            "postgres": postgres.settings,
            "plan": asdict(plan),
            "rounds": rounds,
        }


async def _prepare(plan: Plan, postgres: Postgres, work: Path) -> Trials:
    installation = Installation(home=work / "home")
    installation.home.mkdir()
    _tell(f"seeding {plan.cards:,} cards and {plan.outlets:,} outlets")
    dsn = await postgres.create(SEEDED)
    await installation.seed(dsn, cards=plan.cards, outlets=plan.outlets)
    return Trials(plan, postgres, installation, _tell)


async def _until_told_to_stop(plan: Plan, **more: Any) -> dict[str, Any]:
    """Let Ctrl-C and SIGTERM end what was started, then us."""
    task, loop = asyncio.ensure_future(measure(plan, **more)), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    return await task


def _tell(sentence: str) -> None:
    print(sentence, flush=True)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="see that it works; no figures")
    parser.add_argument("--rounds", type=int, help=f"rounds (default {Plan().rounds})")
    parser.add_argument("--cards", type=int)
    parser.add_argument("--no-make-run", action="store_true", help="leave make run out")
    parser.add_argument("--clone", type=Path, default=REPOSITORY, help="where make run is called")
    parser.add_argument("--results", type=Path, help="directory of the result file")
    parser.add_argument("--work", type=Path, default=VAR, help="where the data live meanwhile")
    return parser.parse_args()


def _plan(asked: argparse.Namespace) -> Plan:
    given = {
        name: getattr(asked, name)
        for name in ("rounds", "cards")
        if getattr(asked, name) is not None
    }
    plan = replace(QUICK if asked.quick else Plan(), **given)
    return replace(plan, has_make_run=not asked.no_make_run)


def main() -> int:
    """Measure, print, write; 0 when every check held, whatever the budgets say."""
    asked = _asked()
    work = asked.work.resolve() / f"{NAME}-{os.getpid()}"
    work.mkdir(parents=True)
    day = business_day(SystemClock().now_ms(), ZoneInfo("UTC"))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            dsn = os.environ.get(DSN_VARIABLE) or None
            work_to_do = _until_told_to_stop(_plan(asked), dsn=dsn, work=work, clone=asked.clone)
            found = runner.run(work_to_do)
    except (CommandFailed, Fault) as failed:
        print(f"{NAME}: {failed}", file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        print(f"{NAME}: stopped; everything that was started has ended", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(work, ignore_errors=True)
    result = {"name": NAME, "date": day.isoformat(), "quick": asked.quick, **found}
    directory = asked.results or (VAR / "load" if asked.quick else RESULTS)
    directory.mkdir(parents=True, exist_ok=True)
    file = result_file(directory, day, NAME)
    file.write_text(json.dumps(result, indent=1) + "\n")
    print_starts(result)
    print(f"written to {file.relative_to(REPOSITORY) if file.is_relative_to(REPOSITORY) else file}")
    return 0 if is_sound(result) else 1


if __name__ == "__main__":
    sys.exit(main())
