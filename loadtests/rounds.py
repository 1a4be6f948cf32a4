"""One round: pgbench alone, then a fresh copy of the seeded books under every level, checked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from loadtests.books import check_books
from loadtests.commands import CommandFailed
from loadtests.embedded_switch import Installation, Switch
from loadtests.fleet import Fleet, today
from loadtests.machine import Observer, Snapshot
from loadtests.pgbench import Yardstick
from loadtests.plan import MIXED, PURCHASES_ONLY
from loadtests.postgres import Postgres
from loadtests.terminal_simulator import Load, Measured, Simulator

SEEDED: Final = "lesko_load_seeded"
ROUND: Final = "lesko_load_round"
YARDSTICK: Final = "lesko_load_pgbench"
HALF: Final = "half of saturation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run measures; the same in every round."""

    rounds: int = 3
    closed: tuple[int, ...] = (1, 8, 32, 128, 512)
    mixed: int = 128  # In flight, with inquiries, repeats and reversals; 0: not at all.
    rates: tuple[float, ...] = (50.0, 2_000.0)
    half: bool = True
    seconds: float = 7.0
    warm_up_s: float = 1.5
    first_warm_up_s: float = 8.0
    cards: int = 100_000
    outlets: int = 2_000
    pgbench_scale: int = 50
    pgbench_seconds: int = 15


QUICK: Final = Plan(
    rounds=1, closed=(8, 128), mixed=32, rates=(50.0,), half=True, seconds=2.0, warm_up_s=0.5,
    first_warm_up_s=1.0, cards=2_000, outlets=100, pgbench_scale=5, pgbench_seconds=3,
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
        tell: Tell,
    ) -> None:
        self._plan = plan
        self._postgres = postgres
        self._installation = installation
        self._yardstick = yardstick
        self._tell = tell

    async def run(self, number: int) -> dict[str, Any]:
        """Return all figures of one round."""
        postgres, plan = self._postgres, self._plan
        await postgres.checkpoint()
        pgbench = await self._yardstick.measure() if self._yardstick else None
        if pgbench:
            self._tell(f"round {number}: pgbench {pgbench['tps']:,.0f}/s")
        dsn = await postgres.create(ROUND, template=SEEDED)
        try:
            await postgres.checkpoint()
            fleet = Fleet(plan.outlets, today())
            async with self._installation.serve(dsn) as switch:
                levels = await self._levels(fleet, switch, f"round {number}")
            books = await check_books(dsn, fleet.belief, fleet.day)
            verified = await self._verified(dsn)
        finally:
            await postgres.drop(ROUND)
        is_sound = books.is_clean and verified["is_clean"]
        agree = "agree" if is_sound else "DO NOT agree"
        self._tell(f"round {number}: books of {books.keys:,} keys {agree}")
        return {
            "pgbench": pgbench,
            "levels": levels,
            "belief": fleet.belief.counts(),
            "books": books.figures(),
            "ledger_verify": verified,
        }

    async def _levels(self, fleet: Fleet, switch: Switch, label: str) -> list[dict[str, Any]]:
        plan = self._plan
        simulator = Simulator(fleet, switch.host, switch.port)
        observe = Observer(switch=switch.pid, postmaster=self._postgres.postmaster)
        warm = self._load("warm-up", label, in_flight=128)
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
        is_first = name == "warm-up"
        return Load(
            name=name, in_flight=in_flight, rate=rate, cards=plan.cards, seed=label,
            seconds=0.5 if is_first else plan.seconds,
            warm_up_s=plan.first_warm_up_s if is_first else plan.warm_up_s,
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


def costs(measured: Measured[Snapshot]) -> dict[str, Any]:
    """Return CPU microseconds a purchase of each part, and how busy the machine was.

    ``others_cores`` is what neither of our parts used: neighbours and the kernel's own work.
    """
    before, after = measured.before, measured.after
    purchases = max(1, measured.tally.codes.total())
    switch_us = after.switch_us - before.switch_us
    driver_us = after.driver_us - before.driver_us
    postgres_us = None
    if before.postgres_us is not None and after.postgres_us is not None:
        postgres_us = after.postgres_us - before.postgres_us
    busy_us, total_us = after.busy_us - before.busy_us, after.total_us - before.total_us
    ours_us = switch_us + driver_us + (postgres_us or 0)
    return {
        "cpu_us": {
            "switch": round(switch_us / purchases, 1),
            "postgres": None if postgres_us is None else round(postgres_us / purchases, 1),
            "driver": round(driver_us / purchases, 1),
        },
        "busy": round(busy_us / max(1, total_us), 3),
        "others_cores": round((busy_us - ours_us) / (measured.seconds * 1e6), 2),
    }
