"""One round: every process of a stack restarted in order, one after the other, amid purchases."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any, Final

from loadtests.books import check_books
from loadtests.commands import CommandFailed
from loadtests.entries import Head, check_entries
from loadtests.rolling_terminals import Met, Trade
from loadtests.rolling_window import cost_of
from loadtests.stack import Stack
from loadtests.stack_member import READY_WITHIN_S
from loadtests.takeover_process import ms_between

SECOND: Final = "-2"
"""How the second process of a service is called."""

ADMIN: Final = "admin"
LEDGERS: Final = ("card_ledger", f"card_ledger{SECOND}")
AUTHORIZATIONS: Final = ("authorization", f"authorization{SECOND}")
BRIDGES: Final = ("iso_bridge", f"iso_bridge{SECOND}")
STANDS_BY: Final = "waiting to take over"
LOOK_S: Final = 0.05
SETTLED_WITHIN_S: Final = 60.0
EVENTS: Final = (
    "starting", "listening", "partitions_assigned", "waiting_for_leases", "leases_taken", "ready",
    "stopped",
)  # fmt: skip
"""Log lines by which one sees where the time of a restart went."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run measures; the same in every round."""

    rounds: int = 2
    rate: float = 100.0  # Purchases a second.
    outlets: int = 200  # A terminal each.
    cards: int = 5_000
    first_warm_up_s: float = 20.0  # A cold broker costs five times as much.
    before_s: int = 20
    after_s: int = 30  # From SIGTERM; longer than a silent terminal waits.


QUICK: Final = Plan(
    rounds=1, rate=50.0, outlets=40, cards=200, first_warm_up_s=3.0, before_s=5, after_s=10
)


def add_members(stack: Stack) -> None:
    """Prepare two processes of each service, one of admin."""
    stack.add("iso_bridge", name=BRIDGES[0], LESKO_ISO_BRIDGE__ANSWER_PARTITION="0")
    stack.add("iso_bridge", name=BRIDGES[1], LESKO_ISO_BRIDGE__ANSWER_PARTITION="1")
    stack.add("authorization", name=AUTHORIZATIONS[0], LESKO_AUTHORIZATION__SLOT="0")
    stack.add("authorization", name=AUTHORIZATIONS[1], LESKO_AUTHORIZATION__SLOT="1")
    for name in LEDGERS:
        stack.add("card_ledger", name=name)
    stack.add(ADMIN)


class Rolling:
    """Restarts members of one stack while terminals trade, and notes what happens when."""

    def __init__(self, stack: Stack, trade: Trade) -> None:
        self._stack = stack
        self._trade = trade

    async def wait_whole(self) -> None:
        """Wait until all serve, and of the ledgers one, beside one that stands by."""
        ledgers = [name for name in LEDGERS if name in self._stack.members]
        for name in self._stack.members:
            if name not in ledgers:
                await self._stack[name].wait_ready()
        if ledgers:
            await self.wait_ledgers(ledgers)

    async def wait_ledgers(self, names: Sequence[str], *, seconds: float = READY_WITHIN_S) -> str:
        """Return which ledger works, once one does and all others stand by for it."""
        end = asyncio.get_running_loop().time() + seconds
        while True:
            told = {name: await self._stack[name].problems() for name in names}
            working = [name for name in names if not told[name]]
            waiting = [name for name in names if is_standing_by(told[name])]
            if len(working) == 1 and len(waiting) == len(names) - 1:
                return working[0]
            if asyncio.get_running_loop().time() > end:
                message = f"the ledgers were not one that works and one that waits: {told}"
                raise CommandFailed(message)
            await asyncio.sleep(LOOK_S)

    async def restart(self, name: str, ledgers: Sequence[str] = ()) -> dict[str, Any]:
        """Restart a member in order; return the moments, once everything is as it was.

        ``ledgers``: all of them where it is one; then the other one may work afterwards.
        """
        member, met = self._stack[name], self._trade.met
        lost, unheard = met.lines_lost, met.unheard
        began_ns = perf_counter_ns()
        code = await member.stop()
        ended_ns = perf_counter_ns()
        await member.start()
        if ledgers:
            await self.wait_ledgers(ledgers)
        else:
            await member.wait_ready()
        ready_ns = perf_counter_ns()
        return {
            "name": name,
            "began_ns": began_ns,
            "exit_code": code,
            "ended_ms": ms_between(began_ns, ended_ns),
            "ready_ms": ms_between(began_ns, ready_ns),
            "events_ms": self._events(began_ns, name, ledgers),
            "lines_lost": met.lines_lost - lost,
            "unheard": met.unheard - unheard,
        }

    def _events(self, began_ns: int, name: str, ledgers: Sequence[str]) -> dict[str, Any]:
        names = ledgers or (name,)
        return {each: self._stack[each].events_ms(began_ns, *EVENTS) for each in names}


class Round:
    """One after the other on one stack; the books are looked at when all have settled."""

    def __init__(self, plan: Plan, stack: Stack, begins: Mapping[int, Head], tell: Tell) -> None:
        self._plan = plan
        self._stack = stack
        self._begins = begins  # The books from before the topic of entries.
        self._tell = tell

    async def run(self, trade: Trade, *, warm_up_s: float) -> dict[str, Any]:
        """Return all restarts of one round and what the books say."""
        trade.met, trade.samples = Met(), []
        rolling, restarts = Rolling(self._stack, trade), list[dict[str, Any]]()
        trade.open()
        await asyncio.sleep(warm_up_s)
        for name in (*BRIDGES, *AUTHORIZATIONS):
            restarts.append(await self._one(rolling, name))
        working = await rolling.wait_ledgers(LEDGERS)
        standing_by = next(name for name in LEDGERS if name != working)
        for role, name in ((STANDS_BY, standing_by), ("working", working)):
            found = await self._one(rolling, name, LEDGERS)
            restarts.append(found | {"role": role})
        restarts.append(await self._one(rolling, ADMIN))
        unsettled = await trade.close(seconds=SETTLED_WITHIN_S)
        return {
            "restarts": [self._judged(trade, one) for one in restarts],
            "unsettled": unsettled,
            "met": trade.met.figures(),
            **await self._checked(trade),
        }

    async def _one(
        self, rolling: Rolling, name: str, ledgers: Sequence[str] = ()
    ) -> dict[str, Any]:
        await asyncio.sleep(self._plan.before_s)
        found = await rolling.restart(name, ledgers)
        left_s = self._plan.after_s - (perf_counter_ns() - found["began_ns"]) / 1e9
        await asyncio.sleep(max(0.0, left_s))
        return found

    def _judged(self, trade: Trade, found: dict[str, Any]) -> dict[str, Any]:
        plan, began_ns = self._plan, found.pop("began_ns")
        cost = cost_of(trade.samples, began_ns, before_s=plan.before_s, after_s=plan.after_s)
        self._tell(line_of(found | cost))
        return found | cost

    async def _checked(self, trade: Trade) -> dict[str, Any]:
        stack, fleet = self._stack, trade.fleet
        books = await check_books(stack.dsn, fleet.belief, fleet.day)
        trail = await check_entries(stack.broker.bootstrap, stack.dsn, self._begins)
        return {
            "belief": fleet.belief.counts(),
            "books": books.figures(),
            "entries": trail.figures(),
            "ledger_verify": await verified(stack),
        }


async def verified(stack: Stack) -> dict[str, Any]:
    """Let the ledger verify its books; return whether they are clean and what was said."""
    try:
        said = await stack.verify()
    except CommandFailed as failed:
        return {"is_clean": False, "said": str(failed)}
    return {"is_clean": True, "said": said}


def is_standing_by(problems: Mapping[str, str]) -> bool:
    """Tell whether a ledger waits for the leases of another one, and for nothing else before."""
    return STANDS_BY in problems.get("card_ledger.leases", "")


def line_of(found: Mapping[str, Any]) -> str:
    """Return one line for a person who watches."""
    role = f", {found['role']}" if "role" in found else ""
    refused = sum(found["refused_by_us"].values())
    return (
        f"  {found['name'] + role:36} ended {found['ended_ms']:6,.0f} ms,"
        f" ready {found['ready_ms']:6,.0f} ms; {refused} refused, {found['silent']} silent;"
        f" p99 {found['p99_before_ms']:.1f} ms, slow {len(found['slow'])} s"
        f" (before: {len(found['slow_before'])} s)"
    )
