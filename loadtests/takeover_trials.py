"""One round of trials on a fresh copy of the books: restart, and take-over in two ways.

Each strikes amid purchases, waits for the first purchase that is approved again, then lets the
terminals reverse what stayed unanswered; at the end of the round the books must agree with them.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from loadtests.books import check_books
from loadtests.commands import CommandFailed
from loadtests.embedded_switch import LESKO, Installation
from loadtests.fleet import Fleet, Tally, today
from loadtests.postgres import Postgres
from loadtests.takeover_process import Instance, ms_between
from loadtests.takeover_terminals import Knocker, Shoppers

SEEDED: Final = "lesko_load_takeover_seeded"
ROUND: Final = "lesko_load_takeover_round"
RESTART: Final = "restart after kill -9"
KILLED: Final = "take-over from a killed one"
FROZEN: Final = "take-over from a frozen one"
TRIALS: Final = (RESTART, KILLED, FROZEN)
EVENTS: Final = ("starting", "leases_taken", "ready")
WAITS: Final = "waiting_for_leases"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run measures; the same in every round."""

    rounds: int = 5
    cards: int = 100_000
    outlets: int = 500
    in_flight: int = 32
    traffic_s: float = 2.0
    has_make_run: bool = True


QUICK: Final = Plan(rounds=1, cards=2_000, outlets=50, in_flight=16, traffic_s=0.5)


class Trials:
    """Runs rounds on one server and one installation; nothing of a round is left behind."""

    def __init__(
        self, plan: Plan, postgres: Postgres, installation: Installation, tell: Tell
    ) -> None:
        self._plan = plan
        self._postgres = postgres
        self._installation = installation
        self._tell = tell

    async def run(self, number: int) -> dict[str, Any]:
        """Return all moments of one round and what the books say."""
        load_1m = os.getloadavg()[0]
        dsn = await self._postgres.create(ROUND, template=SEEDED)
        try:
            await self._postgres.checkpoint()
            fleet = Fleet(self._plan.outlets, today())
            trials = [await self._trial(dsn, fleet, name, number) for name in TRIALS]
            books = await check_books(dsn, fleet.belief, fleet.day)
            verified = await self._verified(dsn)
        finally:
            await self._postgres.drop(ROUND)
        agree = "agree" if books.is_clean and verified["is_clean"] else "DO NOT agree"
        self._tell(f"round {number}: books of {books.keys:,} keys {agree}")
        return {
            "load_1m": round(load_1m, 2),
            "trials": trials,
            "belief": fleet.belief.counts(),
            "books": books.figures(),
            "ledger_verify": verified,
        }

    async def _trial(self, dsn: str, fleet: Fleet, name: str, number: int) -> dict[str, Any]:
        plan = self._plan
        first = self._instance(dsn, "first")
        second = first if name == RESTART else self._instance(dsn, "second")
        seed = f"round {number} {name}"
        shoppers = Shoppers(fleet, in_flight=plan.in_flight, cards=plan.cards, seed=seed)
        try:
            await _bring_up(first, second)
            await shoppers.dial(first.port)
            await asyncio.sleep(plan.traffic_s)
            began_ns = first.freeze() if name == FROZEN else await first.kill()
            in_flight = shoppers.stop()
            if second is first:
                began_ns = await second.start()
            moments = await moments_ms(second, Knocker(fleet, plan.cards), began_ns)
            unsettled = await shoppers.settle(second.port)
        finally:
            await first.end()
            await second.end()
        events = second.events_ms(began_ns, *EVENTS)
        self._tell(
            f"  {name:28} ready {moments['ready_ms']:8,.0f} ms"
            f"   served {moments['approved_ms']:8,.0f} ms"
        )
        return {
            "name": name, **moments, "events_ms": events, "in_flight": in_flight,
            "unsettled": unsettled, **_seen(fleet.next_tally()),
        }  # fmt: skip

    def _instance(self, dsn: str, name: str) -> Instance:
        home = self._installation.home
        env = self._installation.settings(dsn)
        return Instance([*LESKO, "serve"], env, log=home / f"{name}.log")

    async def _verified(self, dsn: str) -> dict[str, Any]:
        try:
            said = await self._installation.verify(dsn)
        except CommandFailed as failed:
            return {"is_clean": False, "said": str(failed)}
        return {"is_clean": True, "said": said}


class Opening(Protocol):
    """Something that gets ready and opens its port for terminals."""

    port: int

    async def until_ready(self) -> int:
        """Return the moment at which it was ready."""


async def moments_ms(instance: Opening, knocker: Knocker, began_ns: int) -> dict[str, Any]:
    """Wait until it is ready and has approved a purchase; return both in ms after ``began_ns``."""
    ready_ns, service = await asyncio.gather(
        instance.until_ready(), knocker.until_approved(instance.port)
    )
    return {
        "ready_ms": ms_between(began_ns, ready_ns),
        "connected_ms": ms_between(began_ns, service.connected_ns),
        "approved_ms": ms_between(began_ns, service.approved_ns),
        "refused_before": dict(service.refused),
        "unanswered_before": service.unanswered,
    }


async def _bring_up(first: Instance, second: Instance) -> None:
    await first.start()
    await first.until_ready()
    if second is not first:
        await second.start()
        await second.until_said(WAITS)


def _seen(tally: Tally) -> dict[str, Any]:
    """Return what the shoppers met, before and after."""
    return {
        "purchases": tally.codes.total(),
        "unanswered": tally.unanswered,
        "reversals": {name: tally.others[name] for name in sorted(tally.others)},
        "late": tally.late,
        "unexpected": tally.unexpected,
        "wrong": tally.wrong,
        "problems": tally.problems,
    }
