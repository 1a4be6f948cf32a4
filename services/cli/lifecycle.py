"""Start parts, hold them together, stop them in reverse; which parts is not known here."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple, TextIO

from libs.bus import Bus
from libs.clock import Clock
from libs.observe import Health, Metrics
from libs.outcome import Fault
from services.cli.faults import passing_reason

START_CHECK: Final = "start"
LOOK_EVERY_S: Final = 0.02
GC_THRESHOLDS: Final = (50_000, 50, 1_000)
FIRST_PAUSE_S: Final = 0.2
LAST_PAUSE_S: Final = 3.0


class ServiceEnded(Fault):
    """A service returned although nobody had asked it to stop."""


class NotReady(Fault):
    """The services did not become ready in time."""

    retriable = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all services of one process share."""

    bus: Bus
    clock: Clock
    health: Health
    metrics: Metrics
    money_stream: TextIO  # One line per money message.


class Part(NamedTuple):
    """One service, and what it needs before it may begin."""

    name: str
    serve: Callable[[Shared, Mapping[str, Any]], Awaitable[None]]
    gate: str | None  # The check that is well once it serves; None: it is never waited for.
    schema: str | None = None  # Its tables; None: it needs no database.
    topics: tuple[str, ...] = ()


async def run_parts(
    parts: Sequence[Part],
    shared: Shared,
    over: Mapping[str, Any],
    *,
    stop: asyncio.Event,
    while_ready: Callable[[], Awaitable[None]],
    ready_ms_max: int,
    one_by_one: bool,
) -> None:
    """Start in order, call ``while_ready`` once all are ready, stop in reverse order.

    ``one_by_one``: the next part waits until the gate of the one before is well, as on the memory
    bus, where terminals are let in only behind books that are held. Else each one waits by itself
    for what it needs. A part that ends with trouble that may pass is started again; any other
    fault brings all down and leaves inside an ExceptionGroup. ``ready_ms_max=0``: wait as long as
    it takes, as a second process waits for the leases.
    """
    shared.health.expect(START_CHECK)
    async with asyncio.TaskGroup() as group:
        running = []
        for part in parts:
            if stop.is_set():
                break
            if part.gate is not None:
                shared.health.expect(part.gate)
            running.append(group.create_task(_keep(part, shared, over, stop), name=part.name))
            if one_by_one and part.gate is not None:
                await _wait_for(partial(_is_well, shared, part.gate), shared, stop, ready_ms_max)
        shared.health.report(START_CHECK, None)
        await _wait_for(lambda: shared.health.is_ready, shared, stop, ready_ms_max)
        settle_memory()
        if not stop.is_set():
            await while_ready()
        await stop.wait()
        for task in reversed(running):
            task.cancel()
            await asyncio.wait([task])


def settle_memory() -> None:
    """Put what was loaded out of the collector's sight; the hot path makes no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


async def _keep(part: Part, shared: Shared, over: Mapping[str, Any], stop: asyncio.Event) -> None:
    """Serve a part; again, after a pause, when it ended with trouble that may pass by itself."""
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            await part.serve(shared, over)
        except (Fault, ExceptionGroup) as trouble:
            reason = passing_reason(trouble)
            if reason is None or part.gate is None:
                raise
        else:
            if stop.is_set():
                return
            message = f"The service {part.name} ended by itself."
            raise ServiceEnded(message)
        if _is_well(shared, part.gate):
            pause_s = FIRST_PAUSE_S
        shared.health.report(part.gate, reason)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, LAST_PAUSE_S)


def _is_well(shared: Shared, check: str) -> bool:
    return check not in shared.health.problems()


async def _wait_for(
    condition: Callable[[], bool], shared: Shared, stop: asyncio.Event, ready_ms_max: int
) -> None:
    started = shared.clock.monotonic_ms()
    while not (condition() or stop.is_set()):
        if ready_ms_max and shared.clock.monotonic_ms() - started > ready_ms_max:
            waiting = "; ".join(f"{k}: {v}" for k, v in shared.health.problems().items())
            message = f"Not ready after {ready_ms_max / 1000:g} s. {waiting}"
            raise NotReady(message)
        await asyncio.sleep(LOOK_EVERY_S)
