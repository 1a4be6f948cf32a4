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


async def watch_database(dsn: SecretStr, health: Health) -> None:
    """Report whether the database takes writes, every second until cancelled."""
    health.expect(DATABASE_CHECK)
    async with open_pool(dsn, name="lesko watch", size=1) as pool:
        while True:
            health.report(DATABASE_CHECK, await pool.write_problem())
            await asyncio.sleep(EVERY_S)


async def watch_bus(bus: Bus, topics: Sequence[str], health: Health) -> None:
    """Report whether the bus answers and has these topics, every second until cancelled."""
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            missing = await missing_topics(bus, topics)
        except BusUnavailable as fault:
            health.report(BUS_CHECK, str(fault))
        else:
            health.report(BUS_CHECK, None)
            health.report(TOPICS_CHECK, missing)


async def watch_loop(health: Health, clock: Clock, metrics: Metrics) -> None:
    """Measure how late the event loop is until cancelled."""
    await LoopWatch(health, clock, note=metrics.event_loop_lag.set).run()
