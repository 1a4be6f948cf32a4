"""``make load``: pgbench, the switch embedded and on Kafka, round by round, books checked.

Everything runs on 127.0.0.1, in a directory of its own that is gone afterwards.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from loadtests import machine
from loadtests.embedded_switch import Installation
from loadtests.pgbench import Yardstick
from loadtests.postgres import Postgres, open_postgres
from loadtests.program import VAR, Ending, run_program, tell
from loadtests.report import of_switch, print_report, switches_of
from loadtests.rounds import KAFKA, QUICK, SEEDED, YARDSTICK, Plan, Round, checks
from loadtests.separate_switch import broker_version


async def measure(
    plan: Plan, *, dsn: str | None, work: Path, knobs: Mapping[str, str]
) -> dict[str, Any]:
    """Run all rounds and return the whole result; ``knobs`` as in Installation."""
    async with open_postgres(dsn, work) as postgres:
        tell(f"PostgreSQL {postgres.settings['server_version']}")
        try:
            yardstick = await _yardstick(plan, postgres)
            installation = Installation(home=work / "home", knobs=knobs)
            installation.home.mkdir()
            await _seed(plan, postgres, installation)
            one = Round(plan, postgres, installation, yardstick, work=work, tell=tell)
            rounds = [await one.run(number) for number in range(1, plan.rounds + 1)]
        finally:
            await postgres.drop(SEEDED)
            await postgres.drop(YARDSTICK)
        return {
            "machine": machine.describe(postgres.data_directory),
            "versions": machine.versions() | _broker(plan),
            "postgres": postgres.settings,
            "plan": asdict(plan),
            "knobs": dict(knobs),
            "rounds": rounds,
        }


async def _yardstick(plan: Plan, postgres: Postgres) -> Yardstick | None:
    if not plan.pgbench_seconds:
        return None
    if postgres.pgbench is None:
        tell("pgbench is not installed beside PostgreSQL: there will be no ratio")
        return None
    dsn = await postgres.create(YARDSTICK)
    yardstick = Yardstick(
        program=postgres.pgbench, dsn=dsn, scale=plan.pgbench_scale, seconds=plan.pgbench_seconds
    )
    tell(f"filling pgbench at scale {plan.pgbench_scale}")
    await yardstick.fill()
    return yardstick


async def _seed(plan: Plan, postgres: Postgres, installation: Installation) -> None:
    dsn = await postgres.create(SEEDED)
    tell(f"seeding {plan.cards:,} cards and {plan.outlets:,} outlets")
    await installation.seed(dsn, cards=plan.cards, outlets=plan.outlets)


def _broker(plan: Plan) -> dict[str, str]:
    return {"kafka": broker_version()} if KAFKA in plan.switches else {}


def is_sound(result: dict[str, Any]) -> bool:
    """Whether every answer was right and the books agreed in every round."""
    return all(
        all(one[check]["is_clean"] for check in checks(one))
        and not any(level["wrong"] or level["unsettled"] for level in one["levels"])
        for switch in switches_of(result)
        for one in of_switch(result, switch)["rounds"]
    )


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="see that it works; no figures")
    parser.add_argument("--only", choices=Plan().switches, help="one of the two switches")
    parser.add_argument("--no-pgbench", action="store_true", help="no yardstick, no ratio")
    parser.add_argument(
        "--set", action="append", default=[], type=_knob, metavar="LESKO_NAME=VALUE",
        help="try another setting of the switch; it stands in the result", dest="knobs",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, help="interleaved rounds (default 3)")
    parser.add_argument("--seconds", type=float, help="measured seconds of a level")
    parser.add_argument("--cards", type=int)
    parser.add_argument("--outlets", type=int)
    parser.add_argument("--name", default="switch", help="part of the result's file name")
    parser.add_argument("--results", type=Path, help="directory of the result file")
    parser.add_argument("--work", type=Path, default=VAR, help="where the data live meanwhile")
    return parser.parse_args()


def _plan(asked: argparse.Namespace) -> Plan:
    given = {
        name: getattr(asked, name)
        for name in ("rounds", "seconds", "cards", "outlets")
        if getattr(asked, name) is not None
    }
    if asked.only:
        given["switches"] = (asked.only,)
    if asked.no_pgbench:
        given["pgbench_seconds"] = 0
    return replace(QUICK if asked.quick else Plan(), **given)


def _knob(word: str) -> tuple[str, str]:
    name, is_given, value = word.partition("=")
    if not is_given or not name.startswith("LESKO_"):
        raise argparse.ArgumentTypeError("write LESKO_NAME=VALUE")
    return name, value


def main() -> int:
    """Measure, print, write; 0 when every check held."""
    asked = _asked()

    async def work(directory: Path, dsn: str | None) -> dict[str, Any]:
        return await measure(_plan(asked), dsn=dsn, work=directory, knobs=dict(asked.knobs))

    ending = Ending(show=print_report, is_sound=is_sound)
    return run_program(
        asked.name, work, ending, place=asked.work, results=asked.results, quick=asked.quick
    )


if __name__ == "__main__":
    sys.exit(main())
