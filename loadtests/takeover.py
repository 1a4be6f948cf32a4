"""``make takeover``: how soon a restarted or a second switch serves, and ``make run`` itself.

Everything runs on 127.0.0.1, in a directory of its own that is gone afterwards.
"""

import argparse
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from loadtests import machine
from loadtests.embedded_switch import Installation
from loadtests.postgres import Postgres, open_postgres
from loadtests.program import REPOSITORY, VAR, Ending, run_program, tell
from loadtests.takeover_make_run import measure_make_run, need_installed
from loadtests.takeover_report import is_sound, print_starts
from loadtests.takeover_trials import QUICK, SEEDED, Plan, Trials

NAME: Final = "takeover"


async def measure(plan: Plan, *, dsn: str | None, work: Path, clone: Path) -> dict[str, Any]:
    """Run all rounds and return the whole result."""
    if plan.has_make_run:
        need_installed(clone)
    async with open_postgres(dsn, work) as postgres:
        tell(f"PostgreSQL {postgres.settings['server_version']}")
        try:
            trials = await _prepare(plan, postgres, work)
            rounds = []
            for number in range(1, plan.rounds + 1):
                found = await trials.run(number)
                if plan.has_make_run:
                    found["trials"] += await measure_make_run(clone, work, tell)
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
    tell(f"seeding {plan.cards:,} cards and {plan.outlets:,} outlets")
    dsn = await postgres.create(SEEDED)
    await installation.seed(dsn, cards=plan.cards, outlets=plan.outlets)
    return Trials(plan, postgres, installation, tell)


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

    async def work(directory: Path, dsn: str | None) -> dict[str, Any]:
        return await measure(_plan(asked), dsn=dsn, work=directory, clone=asked.clone)

    ending = Ending(show=print_starts, is_sound=is_sound)
    return run_program(
        NAME, work, ending, place=asked.work, results=asked.results, quick=asked.quick
    )


if __name__ == "__main__":
    sys.exit(main())
