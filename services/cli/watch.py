"""What a process watches of itself besides its services: the database and its own loop."""

import asyncio
from typing import Final

from pydantic import SecretStr

from libs.clock import Clock
from libs.observe import Health, LoopWatch, Metrics
from libs.pg import open_pool

DATABASE_CHECK: Final = "database"
EVERY_S: Final = 1.0


async def watch_database(dsn: SecretStr, health: Health) -> None:
    """Report whether the database takes writes, every second until cancelled."""
    health.expect(DATABASE_CHECK)
    async with open_pool(dsn, name="lesko watch", size=1) as pool:
        while True:
            health.report(DATABASE_CHECK, await pool.write_problem())
            await asyncio.sleep(EVERY_S)


async def watch_loop(health: Health, clock: Clock, metrics: Metrics) -> None:
    """Measure how late the event loop is until cancelled."""
    await LoopWatch(health, clock, note=metrics.event_loop_lag.set).run()
