"""What happens beside messages: one timer for every deadline, and letting go at the end."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from libs.clock import Clock
from libs.observe import Metrics
from services.iso_bridge.adapters.tcp_listener import TcpListener
from services.iso_bridge.handlers.pending import Pending

_MS: Final = 1_000
_DRAIN_LOOK_S: Final = 0.01


class CountsLate(Protocol):
    """An inbox, as far as figures go."""

    late: int


class Upkeep:
    """Sweeps and drains the listeners of one edge."""

    def __init__(
        self,
        listeners: Sequence[TcpListener],
        pending: Pending,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._listeners = listeners
        self._pending = pending
        self._clock = clock
        self._metrics = metrics

    async def sweep(self, give_up: Callable[[], None], inbox: CountsLate, *, every_ms: int) -> None:
        """Look at every deadline of every message and socket, until cancelled."""
        late = 0
        metrics = self._metrics
        while True:
            await asyncio.sleep(every_ms / _MS)
            give_up()
            now_ms = self._clock.monotonic_ms()
            for listener in self._listeners:
                listener.sweep(now_ms)
            metrics.bridge_connections.set(sum(len(each) for each in self._listeners))
            metrics.bridge_in_flight.set(len(self._pending))
            metrics.bridge_late_answers.inc(inbox.late - late)
            late = inbox.late

    async def drain(self, limit_ms: int) -> None:
        """Take nothing new, answer what waits, close. Sweeping must go on meanwhile."""
        for listener in self._listeners:
            listener.stop_accepting()
        try:
            async with asyncio.timeout(limit_ms / _MS):
                while len(self._pending):  # noqa: ASYNC110 -- an event would cost every message.
                    await asyncio.sleep(_DRAIN_LOOK_S)
        except TimeoutError:
            log = structlog.get_logger("iso_bridge")
            log.warning("drain_cut_short", waiting=len(self._pending))
        for listener in self._listeners:
            listener.close()
