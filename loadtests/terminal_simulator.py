"""Many EDC terminals over standing connections, in a closed loop or at a rate of their own.

By itself it loads a switch that is already up, for example
``python -m loadtests.terminal_simulator --port 8583 --in-flight 32 --seconds 5``.
"""

import argparse
import asyncio
import gc
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from time import perf_counter_ns, process_time
from typing import Any, Generic, TypeVar

import uvloop

from loadtests.arrivals import follow, poisson_arrivals
from loadtests.crew import Crew
from loadtests.fleet import UNANSWERED_AFTER_NS, Fleet, Tally, today
from loadtests.latency import histogram, summary_ms
from loadtests.line import Line
from loadtests.plan import MIXES, PURCHASES_ONLY, Kind, build_pool

Observation = TypeVar("Observation")

LINES_MAX = 64
SWEEP_EVERY_S = 0.25
RECONNECT_AFTER_S = 0.2
DRAIN_MAX_S = 25.0
DRAIN_LOOK_S = 0.02
OPEN_REQUESTS_MAX = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One level: ``in_flight`` of a closed loop, or ``rate`` a second of an open one."""

    name: str
    in_flight: int = 0
    rate: float = 0.0
    seconds: float = 6.0
    warm_up_s: float = 1.0
    lines: int = LINES_MAX
    mix: Mapping[Kind, float] = field(default_factory=lambda: PURCHASES_ONLY)
    cards: int = 1_000
    seed: str = "lesko"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(Generic[Observation]):
    """What a level gave; the observations frame the ``seconds`` that were measured."""

    load: Load
    seconds: float
    tally: Tally
    before: Observation
    after: Observation
    unsettled: int  # Requests without an answer when the patience of the drain was over.

    def figures(self) -> dict[str, Any]:
        """Return plain values for a result file; milliseconds, purchases only.

        A purchase that its terminal gave up stands in the percentiles with all its waiting time.
        """
        tally = self.tally
        samples = tally.latencies[:]
        samples.extend([UNANSWERED_AFTER_NS // 1000] * tally.unanswered)
        purchases = tally.codes.total()
        return {
            "name": self.load.name,
            "in_flight": self.load.in_flight,
            "offered_per_s": self.load.rate,
            "seconds": round(self.seconds, 3),
            "purchases": purchases,
            "purchases_per_s": round(purchases / self.seconds, 1),
            "latency_ms": summary_ms(samples),
            "driver_late_ms": summary_ms(tally.lateness),
            "codes": {key.decode("latin-1"): tally.codes[key] for key in sorted(tally.codes)},
            "others": dict(sorted(tally.others.items())),
            "unanswered": tally.unanswered,
            "late": tally.late,
            "unexpected": tally.unexpected,
            "unsent": tally.unsent,
            "unsettled": self.unsettled,
            "wrong": tally.wrong,
            "problems": tally.problems,
            "histogram_us": histogram(samples),
        }


class Simulator:
    """Drives a fleet against one listener."""

    def __init__(self, fleet: Fleet, host: str, port: int) -> None:
        self._fleet = fleet
        self._host = host
        self._port = port

    async def run(self, load: Load, observe: Callable[[], Observation]) -> Measured[Observation]:
        """Warm up, measure, stop asking, wait until every request is settled."""
        fleet = self._fleet
        broken = _first_break()
        fleet.pool = build_pool(f"{load.seed} {load.name}", load.mix, load.cards)
        fleet.remembers = set(load.mix) != {Kind.PURCHASE}
        fleet.is_open = True
        async with _no_garbage_collection(), self._lines(load) as lines:
            asking = asyncio.ensure_future(self._ask(load, lines))
            try:
                await asyncio.sleep(load.warm_up_s)
                fleet.next_tally()
                began_ns, before = perf_counter_ns(), observe()
                await asyncio.sleep(load.seconds)
                ended_ns, after = perf_counter_ns(), observe()
                fleet.is_open = False
                # What came at a rate is judged to its end, however late the answer.
                tally = fleet.tally if load.rate else fleet.next_tally()
                await asyncio.wait({asking, broken}, return_when=asyncio.FIRST_COMPLETED)
                unsettled = 0 if broken.done() else await _drain(lines)
                if broken.done():
                    await broken
            finally:
                fleet.is_open = False
                asking.cancel()
            _add_rest(tally, fleet.next_tally())
        seconds = (ended_ns - began_ns) / 1e9
        return Measured(
            load=load, seconds=seconds, tally=tally, before=before, after=after,
            unsettled=unsettled,
        )  # fmt: skip

    async def _ask(self, load: Load, lines: list[Line]) -> None:
        """Start what comes at a rate; a closed loop keeps itself going."""
        if not load.rate:
            return
        fleet, turn = self._fleet, cycle(lines)
        open_max = OPEN_REQUESTS_MAX // len(lines)

        def start(due_ns: int) -> None:
            line = next(turn)
            fleet.tally.lateness.append((perf_counter_ns() - due_ns) // 1000)
            if line.crew.open_requests() >= open_max or not line.start(due_ns):
                fleet.tally.unsent += 1

        arrivals = poisson_arrivals(
            f"{load.seed} {load.name}", load.rate, load.warm_up_s + load.seconds
        )
        await follow(arrivals, start, origin_ns=perf_counter_ns())

    @asynccontextmanager
    async def _lines(self, load: Load) -> AsyncIterator[list[Line]]:
        """Hold the lines open, each in a task that connects again after a loss."""
        fleet = self._fleet
        count = min(load.lines, load.in_flight or load.lines, len(fleet.terminals))
        lines: list[Line] = []
        tasks = [asyncio.ensure_future(_sweep(lines))]
        try:
            for at in range(count):
                crew = Crew(fleet, fleet.terminals[at::count], refills=load.in_flight > 0)
                slots = load.in_flight // count + (at < load.in_flight % count)
                lost = asyncio.Event()
                line = Line(crew, slots=slots, on_lost=lost.set)
                await self._connect(line)
                lines.append(line)
                tasks.append(asyncio.ensure_future(self._hold(line, lost)))
            yield lines
        finally:
            for task in tasks:
                task.cancel()
            for line in lines:
                line.close()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _connect(self, line: Line) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: line, self._host, self._port)

    async def _hold(self, line: Line, lost: asyncio.Event) -> None:
        while True:
            await lost.wait()
            lost.clear()
            await asyncio.sleep(RECONNECT_AFTER_S)
            try:
                await self._connect(line)
            except OSError:
                lost.set()


def _first_break() -> "asyncio.Future[None]":
    """Return what fails with the first exception of a callback from now on.

    A simulator that is broken must not look like a slow switch.
    """
    loop = asyncio.get_running_loop()
    broken: asyncio.Future[None] = loop.create_future()

    def take_down(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not broken.done():
            broken.set_exception(context.get("exception") or RuntimeError(context["message"]))

    loop.set_exception_handler(take_down)
    return broken


async def _sweep(lines: list[Line]) -> None:
    while True:
        await asyncio.sleep(SWEEP_EVERY_S)
        for line in lines:
            line.sweep()


async def _drain(lines: list[Line]) -> int:
    """Wait until nothing waits for an answer; return how many still do when time is up."""
    left = 0
    for _ in range(round(DRAIN_MAX_S / DRAIN_LOOK_S)):
        left = sum(line.crew.open_requests() for line in lines)
        if not left:
            break
        await asyncio.sleep(DRAIN_LOOK_S)
    return left


def _add_rest(tally: Tally, rest: Tally) -> None:
    """Add what was only seen while settling, other than verdicts outside the measured time."""
    if tally is rest:
        return
    tally.others += rest.others
    tally.unanswered += rest.unanswered
    tally.late += rest.late
    tally.unexpected += rest.unexpected
    tally.wrong += rest.wrong
    tally.problems += rest.problems


@asynccontextmanager
async def _no_garbage_collection() -> AsyncIterator[None]:
    """Keep the collector out of the measured time; the simulator makes no cycles."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def run_alone(load: Load, fleet: Fleet, *, host: str, port: int) -> dict[str, Any]:
    """Load a switch that is up and return the figures, the belief's counts and our own CPU."""

    async def run() -> dict[str, Any]:
        measured = await Simulator(fleet, host, port).run(load, process_time)
        figures = measured.figures()
        cpu_us = (measured.after - measured.before) * 1e6
        figures["driver_cpu_us"] = round(cpu_us / max(1, figures["purchases"]), 1)
        return {**figures, "belief": fleet.belief.counts()}

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


def main() -> None:
    """Read the command line, load the switch, print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8583)
    parser.add_argument("--in-flight", type=int, default=0, help="closed loop")
    parser.add_argument("--rate", type=float, default=0.0, help="open loop, a second")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--lines", type=int, default=LINES_MAX)
    parser.add_argument("--outlets", type=int, default=50)
    parser.add_argument("--cards", type=int, default=1_000)
    parser.add_argument("--mix", choices=sorted(MIXES), default="purchases")
    parser.add_argument("--seed", default="lesko")
    parser.add_argument(
        "--first-stan", type=int, default=1, help="above those that these terminals used today"
    )
    asked = parser.parse_args()
    if (asked.in_flight > 0) == (asked.rate > 0):
        parser.error("give --in-flight for a closed loop or --rate for an open one")
    load = Load(
        name="alone", in_flight=asked.in_flight, rate=asked.rate, seconds=asked.seconds,
        lines=asked.lines, mix=MIXES[asked.mix], cards=asked.cards, seed=asked.seed,
    )  # fmt: skip
    fleet = Fleet(asked.outlets, today(), asked.first_stan)
    figures = run_alone(load, fleet, host=asked.host, port=asked.port)
    figures["next_stan"] = max(terminal.stan for terminal in fleet.terminals) + 1
    del figures["histogram_us"]
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
