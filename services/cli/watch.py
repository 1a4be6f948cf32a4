"""What a process watches of its surroundings: the database, the bus and its own loop."""

import asyncio
from collections.abc import Sequence
from typing import Final

from pydantic import SecretStr

from libs.bus import Bus, BusUnavailable
from libs.clock import Clock
from libs.observe import Health, LoopWatch, Metrics
from libs.pg import open_pool
from services.cli.waits import BUS_CHECK, DATABASE_CHECK, TOPICS_CHECK, missing_topics

EVERY_S: Final = 1.0
CLOCK_CHECK: Final = "bus.clock"
SKEW_MS_MAX: Final = 1_000
"""Limits, leases and deadlines bear this much of a difference between clocks (DESIGN 12)."""


async def watch_database(dsn: SecretStr, health: Health) -> None:
    """Report whether the database takes writes, every second until cancelled."""
    health.expect(DATABASE_CHECK)
    async with open_pool(dsn, name="lesko watch", size=1) as pool:
        while True:
            health.report(DATABASE_CHECK, await pool.write_problem())
            await asyncio.sleep(EVERY_S)


async def watch_bus(bus: Bus, topics: Sequence[str], health: Health) -> None:
    """Report each second whether the bus answers, has these topics, and has our time."""
    while True:
        await asyncio.sleep(EVERY_S)
        health.report(CLOCK_CHECK, skew_problem(bus.clock_skew_ms))
        try:
            missing = await missing_topics(bus, topics)
        except BusUnavailable as fault:
            health.report(BUS_CHECK, str(fault))
        else:
            health.report(BUS_CHECK, None)
            health.report(TOPICS_CHECK, missing)


def skew_problem(skew_ms: int) -> str | None:
    """Return what is wrong with a clock that is this far ahead of the bus's; None: nothing."""
    if abs(skew_ms) <= SKEW_MS_MAX:
        return None
    way = "ahead of" if skew_ms > 0 else "behind"
    return (
        f"this machine's clock is {abs(skew_ms) / 1_000:.1f} s {way} Kafka's:"
        " set the time on both (chrony or another time service)"
    )


async def watch_loop(health: Health, clock: Clock, metrics: Metrics) -> None:
    """Measure how late the event loop is until cancelled."""
    await LoopWatch(health, clock, note=metrics.event_loop_lag.set).run()
