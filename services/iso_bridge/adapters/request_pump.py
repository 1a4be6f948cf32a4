"""Send what gathered in one turn of the loop as one batch; never a task for each message."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from libs.bus.port import Bus, Outgoing
from libs.outcome import Fault

_MS: Final = 1_000

OnUnknown = Callable[[], None]


class RequestPump:
    """One sender. While a send is under way the next batch gathers by itself.

    A send that fails or cannot be confirmed in time is not tried again: the records may be on
    their topic, and the terminals that wait repeat or reverse by themselves.
    """

    def __init__(
        self,
        bus: Bus,
        *,
        timeout_ms: int,
        gather_ms: int,
        report: Callable[[str | None], None],
        ask_every_ms: int = 1_000,
    ) -> None:
        self._bus = bus
        self._timeout_ms = timeout_ms
        self._gather_ms = gather_ms
        self._report = report
        self._ask_every_ms = ask_every_ms
        self._gathered: list[tuple[Outgoing, OnUnknown]] = []
        self._wake = asyncio.Event()
        self._failed_on = ""  # The topic of a send that failed, until we know better.
        self._log = structlog.get_logger("iso_bridge")

    def __len__(self) -> int:
        return len(self._gathered)

    def put(self, record: Outgoing, on_unknown: OnUnknown) -> None:
        """Send with the next batch."""
        if not self._gathered:
            self._wake.set()
        self._gathered.append((record, on_unknown))

    async def run(self) -> None:
        """Send until cancelled."""
        self._report(None)
        busy = False
        while True:
            if self._failed_on:
                await self._until_well()
            await self._wake.wait()
            if busy and self._gather_ms:
                await asyncio.sleep(self._gather_ms / _MS)  # Only under load: fewer, fuller sends.
            self._wake.clear()
            batch, self._gathered = self._gathered, []
            busy = len(batch) > 1
            await self._send(batch)

    async def _until_well(self) -> None:
        """Return at the next message, or once the bus answers again.

        Nobody sends messages to an edge that is not ready, so a send alone would never show it.
        """
        while not self._wake.is_set():
            try:
                async with asyncio.timeout(self._ask_every_ms / _MS):
                    await self._wake.wait()
            except TimeoutError:
                if await self._answers():
                    self._well()
                    return

    async def _answers(self) -> bool:
        try:
            await self._bus.topic(self._failed_on)
        except Fault:
            return False
        return True

    def _well(self) -> None:
        self._failed_on = ""
        self._report(None)

    async def _send(self, batch: Sequence[tuple[Outgoing, OnUnknown]]) -> None:
        try:
            await self._bus.publish([record for record, _ in batch], timeout_ms=self._timeout_ms)
        except Fault as fault:
            self._failed_on = batch[0][0].topic
            self._report(f"requests cannot be sent: {fault}")
            self._log.warning("requests_unknown", count=len(batch), fault=type(fault).__name__)
            for _, on_unknown in batch:
                on_unknown()
        else:
            self._well()
