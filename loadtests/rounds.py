"""One round: pgbench alone, then each switch under every level on fresh books, checked."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from loadtests.books import check_books
from loadtests.commands import CommandFailed
from loadtests.embedded_switch import Installation, Switch
from loadtests.entries import check_entries, read_heads
from loadtests.fleet import Fleet, today
from loadtests.machine import Observer, Snapshot
from loadtests.pgbench import Yardstick
from loadtests.plan import MIXED, PURCHASES_ONLY
from loadtests.postgres import Postgres
from loadtests.separate_switch import serve_separately
from loadtests.terminal_simulator import Load, Measured, Simulator

SEEDED: Final = "lesko_load_seeded"
ROUND: Final = "lesko_load_round"
YARDSTICK: Final = "lesko_load_pgbench"
HALF: Final = "half of saturation"
EMBEDDED: Final = "embedded"
KAFKA: Final = "kafka"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run measures; the same in every round."""

    switches: tuple[str, ...] = (EMBEDDED, KAFKA)
    rounds: int = 3
    closed: tuple[int, ...] = (1, 8, 32, 128, 512)
    mixed: int = 128  # In flight, with inquiries, repeats and reversals; 0: not at all.
    rates: tuple[float, ...] = (50.0, 2_000.0)
    half: bool = True
    seconds: float = 5.0
    warm_up_s: float = 1.0
    first_warm_up_s: float = 8.0
    broker_warm_up_s: float = 20.0  # A cold one costs five times as much.
    cards: int = 100_000
    outlets: int = 2_000
    pgbench_scale: int = 50
    pgbench_seconds: int = 15  # 0: no yardstick, no ratio.


QUICK: Final = Plan(
    rounds=1, closed=(8, 128), mixed=32, rates=(50.0,), half=True, seconds=2.0, warm_up_s=0.5,
    first_warm_up_s=1.0, broker_warm_up_s=3.0, cards=2_000, outlets=100, pgbench_scale=5,
    pgbench_seconds=3,
)  # fmt: skip

Tell = Callable[[str], None]


class Round:
    """Runs rounds on one server and one installation; nothing of a round is left behind."""

    def __init__(
        self,
        plan: Plan,
        postgres: Postgres,
        installation: Installation,
        yardstick: Yardstick | None,
        *,
        work: Path,
        tell: Tell,
    ) -> None:
        self._plan = plan
        self._postgres = postgres
        self._installation = installation
        self._yardstick = yardstick
        self._work = work
        self._tell = tell

    async def run(self, number: int) -> dict[str, Any]:
        """Return all figures of one round: pgbench, then each switch on books of its own."""
        await self._postgres.checkpoint()
        pgbench = await self._yardstick.measure() if self._yardstick else None
        if pgbench:
            self._tell(f"round {number}: pgbench {pgbench['tps']:,.0f}/s")
        found: dict[str, Any] = {"pgbench": pgbench}
        for switch in self._plan.switches:
            found[switch] = await self._measure(switch, f"round {number}, {switch}")
        return found

    async def _measure(self, switch: str, label: str) -> dict[str, Any]:
        dsn = await self._postgres.create(ROUND, template=SEEDED)
        try:
            await self._postgres.checkpoint()
            fleet = Fleet(self._plan.outlets, today())
            serve = self._separate if switch == KAFKA else self._embedded
            found = await serve(fleet, dsn, label)
            books = await check_books(dsn, fleet.belief, fleet.day)
            found |= {
                "belief": fleet.belief.counts(),
                "books": books.figures(),
                "ledger_verify": await self._verified(dsn),
            }
        finally:
            await self._postgres.drop(ROUND)
            self._installation.remove_logs()
        is_sound = all(found[check]["is_clean"] for check in checks(found))
        agree = "agree" if is_sound else "DO NOT agree"
        self._tell(f"{label}: books of {books.keys:,} keys {agree}")
        return found

    async def _embedded(self, fleet: Fleet, dsn: str, label: str) -> dict[str, Any]:
        async with self._installation.serve(dsn) as switch:
            return {"levels": await self._levels(fleet, switch, label, self._plan.first_warm_up_s)}

    async def _separate(self, fleet: Fleet, dsn: str, label: str) -> dict[str, Any]:
        begins, work = await read_heads(dsn), self._work / "stack"
        try:
            async with serve_separately(self._installation, dsn, work, tell=self._tell) as switch:
                levels = await self._levels(fleet, switch, label, self._plan.broker_warm_up_s)
                trail = await check_entries(switch.bootstrap, dsn, begins)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return {"levels": levels, "entries": trail.figures()}

    async def _levels(
        self, fleet: Fleet, switch: Switch, label: str, warm_up_s: float
    ) -> list[dict[str, Any]]:
        plan = self._plan
        self._tell(f"{label}:")
        simulator = Simulator(fleet, switch.host, switch.port)
        observe = Observer(switch.processes, postmaster=self._postgres.postmaster)
        warm = Load(
            name="warm-up", in_flight=128, cards=plan.cards, seed=label, seconds=0.5,
            warm_up_s=warm_up_s,
        )  # fmt: skip
        await simulator.run(warm, observe)
        loads = [self._load(f"{count} in flight", label, in_flight=count) for count in plan.closed]
        if plan.mixed:
            name = f"{plan.mixed} in flight, mixed"
            loads.append(self._load(name, label, in_flight=plan.mixed, is_mixed=True))
        loads += [self._load(f"{rate:g}/s", label, rate=rate) for rate in plan.rates]
        levels = [await self._level(simulator, load, observe) for load in loads]
        if plan.half:
            best = max(level["purchases_per_s"] for level in levels if level["in_flight"])
            half = self._load(HALF, label, rate=best / 2)
            levels.append(await self._level(simulator, half, observe))
        return levels

    def _load(
        self,
        name: str,
        label: str,
        *,
        in_flight: int = 0,
        rate: float = 0.0,
        is_mixed: bool = False,
    ) -> Load:
        plan = self._plan
        return Load(
            name=name, in_flight=in_flight, rate=rate, cards=plan.cards, seed=label,
            seconds=plan.seconds, warm_up_s=plan.warm_up_s,
            mix=MIXED if is_mixed else PURCHASES_ONLY,
        )  # fmt: skip

    async def _level(self, simulator: Simulator, load: Load, observe: Observer) -> dict[str, Any]:
        measured = await simulator.run(load, observe)
        figures = measured.figures() | costs(measured)
        latency = figures["latency_ms"]
        self._tell(
            f"  {load.name:24} {figures['purchases_per_s']:9,.0f}/s"
            f"  p50 {latency.get('p50', 0):.1f}  p99 {latency.get('p99', 0):.1f} ms"
        )
        return figures

    async def _verified(self, dsn: str) -> dict[str, Any]:
        try:
            said = await self._installation.verify(dsn)
        except CommandFailed as failed:
            return {"is_clean": False, "said": str(failed)}
        return {"is_clean": True, "said": said}


def checks(found: dict[str, Any]) -> list[str]:
    """Return which checks a switch's books have been through."""
    return [name for name in ("books", "ledger_verify", "entries") if name in found]


def costs(measured: Measured[Snapshot]) -> dict[str, Any]:
    """Return CPU microseconds a purchase of each part, and how busy the machine was.

    ``others_cores`` is what none of our parts used: neighbours and the kernel's own work.
    """
    before, after = measured.before, measured.after
    purchases = max(1, measured.tally.codes.total())
    used_us = {
        name: None if (began := before.used_us[name]) is None or now is None else now - began
        for name, now in after.used_us.items()
    }
    busy_us, total_us = after.busy_us - before.busy_us, after.total_us - before.total_us
    ours_us = sum(used for used in used_us.values() if used is not None)
    return {
        "cpu_us": {
            name: None if used is None else round(used / purchases, 1)
            for name, used in used_us.items()
        },
        "busy": round(busy_us / max(1, total_us), 3),
        "others_cores": round((busy_us - ours_us) / (measured.seconds * 1e6), 2),
    }
