"""``make chaos``: kills and freezes everything in turn amid purchases; nothing lost, none twice.

Everything runs on 127.0.0.1, in a directory of its own that is gone afterwards.
"""

import argparse
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain, cycle
from pathlib import Path
from time import monotonic
from typing import Any, Final

from loadtests import machine
from loadtests.chaos_entries import EntriesReader
from loadtests.chaos_launcher import Point
from loadtests.chaos_report import is_sound, print_chaos
from loadtests.chaos_rounds import Rounds, prepare_stack
from loadtests.chaos_scene import BRIDGES, Scene
from loadtests.chaos_special import Crash, TwinBridge, TwoLedgers
from loadtests.chaos_strikes import CrossedKill, Freeze, Kill, Strike
from loadtests.chaos_surroundings import (
    EmptyKafka,
    FreezeKafka,
    FreezePostgres,
    KillAll,
    KillBackend,
    KillKafka,
    KillPostgres,
)
from loadtests.chaos_terminals import Market
from loadtests.commands import CommandFailed
from loadtests.fleet import Fleet, today
from loadtests.program import VAR, Ending, run_program, tell
from loadtests.separate_switch import broker_version
from loadtests.stack import Stack, Tell, open_stack

NAME: Final = "chaos"
VERIFY_EVERY: Final = 20
SERVICES: Final = ("card_ledger", "authorization", *BRIDGES, "admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run is; the same in every round."""

    kills: int = 100
    seconds: float = 1_500.0  # No round begins later.
    cards: int = 2_000
    terminals: int = 200
    answer_ms: int = 8_000  # A bridge is silent afterwards.
    patience_s: float = 10.0  # A terminal repeats or reverses afterwards.
    freeze_s: float = 20.0
    lease_ms: int = 4_000
    seed: str = "lesko"


def once() -> list[Strike]:
    """Return what is played once, first: everything that takes long."""
    return [
        *(Freeze(name) for name in ("card_ledger", "authorization", "iso_bridge", "admin")),
        FreezeKafka(),
        FreezePostgres(),
        TwoLedgers(is_killed=False),
        TwinBridge(),
        EmptyKafka(),
        *(Crash(service, point) for service, point in crash_points()),
    ]


def crash_points() -> Iterator[tuple[str, Point]]:
    """Give each service with the points at which it can end."""
    for service in ("card_ledger", "authorization", "iso_bridge"):
        for point in Point:
            yield service, point


def again_and_again() -> list[Strike]:
    """Return what is repeated until there were kills enough."""
    return [
        Kill("card_ledger"),
        Kill("iso_bridge"),
        KillKafka(),
        CrossedKill("iso_bridge-2"),
        Kill("authorization"),
        KillPostgres(),
        Kill("admin", "card_ledger"),
        Crash("card_ledger", Point.BEFORE_SEND),
        KillBackend(),
        Kill("authorization", "iso_bridge"),
        TwoLedgers(is_killed=True),
        Crash("authorization", Point.AFTER_SEND),
        KillAll(SERVICES),
        Crash("card_ledger", Point.AFTER_SEND),
        Kill("card_ledger", "authorization", "iso_bridge-2"),
        Kill(*SERVICES, name="all services"),
        Crash("iso_bridge", Point.AFTER_SEND),
        EmptyKafka(),
    ]


@asynccontextmanager
async def open_scene(work: Path, plan: Plan, tell: Tell) -> AsyncIterator[tuple[Scene, Rounds]]:
    """Bring up a stack with its terminals; leaving ends everything."""
    async with open_stack(work, tell=tell) as stack:
        tell(f"seeding {plan.cards:,} cards and {plan.terminals} outlets")
        await stack.prepare(cards=plan.cards, outlets=plan.terminals)
        settings = {
            "LESKO_CARD_LEDGER__LEASE_MS": str(plan.lease_ms),
            "LESKO_ISO_BRIDGE__ANSWER_MS": str(plan.answer_ms),
        }
        names = prepare_stack(stack, settings)
        entries = EntriesReader(stack.broker.bootstrap, stack.dsn)
        await entries.begin()
        await stack.start()
        await stack.wait_ready()
        tell(f"ready: {', '.join(names)}")
        market = Market(
            Fleet(plan.terminals, today()),
            [stack[name].port for name in BRIDGES],
            cards=plan.cards,
            patience_s=plan.patience_s,
            seed=plan.seed,
        )
        scene = Scene(stack, market, freeze_s=plan.freeze_s, answer_s=plan.answer_ms / 1000)
        try:
            yield scene, Rounds(scene, entries, tell)
        finally:
            await market.hang_up()
            await scene.close()


async def chaos(plan: Plan, *, work: Path) -> dict[str, Any]:
    """Run until there were kills enough or the time is over; return the whole result."""
    began, rounds, verified = monotonic(), list[dict[str, Any]](), list[str]()
    try:
        async with open_scene(work, plan, tell) as (scene, player):
            kills = 0
            for strike in chain(once(), cycle(again_and_again())):
                if kills >= plan.kills or monotonic() - began > plan.seconds:
                    break
                for found in await player.play(strike):
                    rounds.append({"number": len(rounds) + 1, **found.figures()})
                    kills += found.kills * found.counts
                if not len(rounds) % VERIFY_EVERY:
                    verified.append(await _verified(scene.stack))
            verified.append(await _verified(scene.stack))
            return {
                "machine": machine.describe(work),
                "versions": machine.versions() | _others(scene.stack),
                "plan": asdict(plan),
                "seconds": round(monotonic() - began, 1),
                "kills": kills,
                "belief": scene.market.fleet.belief.counts(),
                "ledger_verify": verified,
                "rounds": rounds,
            }
    finally:
        _keep_logs(work, rounds)


def _others(stack: Stack) -> dict[str, str]:
    server = {} if stack.server is None else {"postgresql": str(stack.server.version)}
    return {**server, "kafka": broker_version()}


async def _verified(stack: Stack) -> str:
    try:
        await stack.verify()
    except CommandFailed as failed:
        tell(str(failed))
        return str(failed)
    return "clean"


def _keep_logs(work: Path, rounds: list[dict[str, Any]]) -> None:
    """Keep what the processes wrote when a round was broken."""
    if any(found["problems"] for found in rounds):
        kept = VAR / f"{NAME}-logs-{os.getpid()}"
        kept.mkdir(parents=True, exist_ok=True)
        for log in (work / "home").glob("*.log"):
            shutil.copy(log, kept)
        tell(f"a round was broken: the logs are kept in {kept}")


def _asked() -> argparse.Namespace:
    plan = Plan()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=plan.kills, help="end after so many")
    parser.add_argument("--seconds", type=float, default=plan.seconds, help="or after so long")
    parser.add_argument("--freeze", type=float, default=plan.freeze_s, help="seconds of SIGSTOP")
    parser.add_argument("--seed", default=plan.seed)
    parser.add_argument("--results", type=Path, help="directory of the result file")
    parser.add_argument("--work", type=Path, default=VAR, help="where the data live meanwhile")
    return parser.parse_args()


def main() -> int:
    """Kill, print, write; 0 when every round was clean and the books verified."""
    asked = _asked()
    plan = replace(
        Plan(), kills=asked.kills, seconds=asked.seconds, freeze_s=asked.freeze, seed=asked.seed
    )

    async def work(directory: Path, _: str | None) -> dict[str, Any]:
        return await chaos(plan, work=directory)

    ending = Ending(show=print_chaos, is_sound=is_sound)
    return run_program(NAME, work, ending, place=asked.work, results=asked.results, quick=False)


if __name__ == "__main__":
    sys.exit(main())
