"""``make load``: pgbench, the switch embedded and on Kafka, round by round, books checked.

Everything runs on 127.0.0.1, in a directory of its own that is gone afterwards.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Coroutine, Mapping
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import uvloop

from libs.clock import SystemClock, business_day
from libs.outcome import Fault
from loadtests import embedded_switch, machine
from loadtests.commands import CommandFailed
from loadtests.embedded_switch import Installation
from loadtests.pgbench import Yardstick
from loadtests.postgres import Postgres, open_postgres
from loadtests.report import of_switch, print_report, switches_of
from loadtests.rounds import KAFKA, QUICK, SEEDED, YARDSTICK, Plan, Round, checks
from loadtests.separate_switch import broker_version
from loadtests.takeover_process import clean_environment

REPOSITORY: Final = embedded_switch.REPOSITORY
RESULTS: Final = REPOSITORY / "loadtests" / "results"
VAR: Final = REPOSITORY / "var"
DSN_VARIABLE: Final = "LESKO_LOAD_DSN"
"""Names a server to use instead of our own; no argument, since it holds a password."""


async def measure(
    plan: Plan, *, dsn: str | None, work: Path, knobs: Mapping[str, str]
) -> dict[str, Any]:
    """Run all rounds and return the whole result; ``knobs`` as in Installation."""
    async with open_postgres(dsn, work) as postgres:
        _tell(f"PostgreSQL {postgres.settings['server_version']}")
        try:
            yardstick = await _yardstick(plan, postgres)
            installation = Installation(home=work / "home", knobs=knobs)
            installation.home.mkdir()
            await _seed(plan, postgres, installation)
            one = Round(plan, postgres, installation, yardstick, work=work, tell=_tell)
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
        _tell("pgbench is not installed beside PostgreSQL: there will be no ratio")
        return None
    dsn = await postgres.create(YARDSTICK)
    yardstick = Yardstick(
        program=postgres.pgbench, dsn=dsn, scale=plan.pgbench_scale, seconds=plan.pgbench_seconds
    )
    _tell(f"filling pgbench at scale {plan.pgbench_scale}")
    await yardstick.fill()
    return yardstick


async def _seed(plan: Plan, postgres: Postgres, installation: Installation) -> None:
    dsn = await postgres.create(SEEDED)
    _tell(f"seeding {plan.cards:,} cards and {plan.outlets:,} outlets")
    await installation.seed(dsn, cards=plan.cards, outlets=plan.outlets)


def _broker(plan: Plan) -> dict[str, str]:
    return {"kafka": broker_version()} if KAFKA in plan.switches else {}


def result_file(directory: Path, day: date, name: str) -> Path:
    """Return a name that is not taken: results are never written over."""
    stem, number = f"{day.isoformat()}-{name}", 2
    found = directory / f"{stem}.json"
    while found.exists():
        found = directory / f"{stem}-{number}.json"
        number += 1
    return found


def is_sound(result: dict[str, Any]) -> bool:
    """Whether every answer was right and the books agreed in every round."""
    return all(
        all(one[check]["is_clean"] for check in checks(one))
        and not any(level["wrong"] or level["unsettled"] for level in one["levels"])
        for switch in switches_of(result)
        for one in of_switch(result, switch)["rounds"]
    )


async def _until_told_to_stop(work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """Let Ctrl-C and SIGTERM end what was started, then us; a second one does not disturb that."""
    task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()

    def end() -> None:
        if not task.cancelling():
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    return await task


def _tell(sentence: str) -> None:
    print(sentence, flush=True)


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
    work = asked.work.resolve() / f"load-{os.getpid()}"
    work.mkdir(parents=True)
    dsn = os.environ.get(DSN_VARIABLE) or None
    for name in set(os.environ) - set(clean_environment()):
        del os.environ[name]  # What is measured has its defaults, whatever is set around us.
    day = business_day(SystemClock().now_ms(), ZoneInfo("UTC"))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            whole = measure(_plan(asked), dsn=dsn, work=work, knobs=dict(asked.knobs))
            found = runner.run(_until_told_to_stop(whole))
    except (CommandFailed, Fault) as failed:
        print(f"load: {failed}", file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        print("load: stopped; everything that was started has ended", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(work, ignore_errors=True)
    result = {"name": asked.name, "date": day.isoformat(), "quick": asked.quick, **found}
    directory = asked.results or (VAR / "load" if asked.quick else RESULTS)
    directory.mkdir(parents=True, exist_ok=True)
    file = result_file(directory, day, asked.name)
    file.write_text(json.dumps(result, indent=1) + "\n")
    print_report(result)
    print(f"written to {file.relative_to(REPOSITORY) if file.is_relative_to(REPOSITORY) else file}")
    return 0 if is_sound(result) else 1


if __name__ == "__main__":
    sys.exit(main())
