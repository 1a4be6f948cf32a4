"""A mutant: the ledger on a bus that says "sent" at once and sends a little later.

So commands are acknowledged before their answers are on the topic; kill rounds must notice.
"""

import asyncio
import sys
from collections.abc import Sequence
from random import Random

from libs.bus import Bus, Outgoing
from libs.outcome import Fault
from loadtests.chaos_launcher import WrappedBus, serve_wrapped

LATER_S = (0.2, 1.0)
"""Drawn anew for each batch, so that terminals do not fall into step."""


class HastyBus(WrappedBus):
    """Publishes behind the back of whoever asked for it."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus)
        self._random = Random(1)
        self._sending: set[asyncio.Task[None]] = set()

    async def publish(self, records: Sequence[Outgoing], *, timeout_ms: int) -> None:
        """Return at once."""
        task = asyncio.create_task(self._send_later(records, timeout_ms))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send_later(self, records: Sequence[Outgoing], timeout_ms: int) -> None:
        await asyncio.sleep(self._random.uniform(*LATER_S))
        try:
            await self._bus.publish(records, timeout_ms=timeout_ms)
        except Fault:
            return  # Nobody looks: that is what is wrong with it.


if __name__ == "__main__":
    serve_wrapped(sys.argv[1], HastyBus)
