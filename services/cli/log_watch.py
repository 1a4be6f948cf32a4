"""Report whether log lines can be written; they are tried again until they can."""

import asyncio
from typing import Final, TextIO

from libs.observe import LOG_CHECK, Health, log_problem

EVERY_S: Final = 1.0


async def watch_log(logs: TextIO, health: Health) -> None:
    """Look every second until cancelled."""
    while True:
        health.report(LOG_CHECK, log_problem(logs))
        await asyncio.sleep(EVERY_S)
