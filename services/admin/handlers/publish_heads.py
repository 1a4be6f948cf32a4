"""Write the head of the audit to a place outside of the database, daily and when asked."""

from typing import Final

import structlog

from libs.clock import Clock
from libs.heads import daily_name, moment_name
from libs.outcome import Fault
from services.admin.ports import AuditRows, Shelf

KIND: Final = "audit"
AGAIN_MS: Final = 60_000
log = structlog.get_logger("admin")


class PublishHeads:
    """Publishes where the audit's chain ends. Whoever has the relay's turn does it daily."""

    def __init__(self, rows: AuditRows, shelf: Shelf, clock: Clock) -> None:
        self._rows = rows
        self._shelf = shelf
        self._clock = clock
        self._done = ""  # The day's name that is known to be there.
        self._again_at_ms = 0

    async def keep_daily(self) -> None:
        """Publish daily; call it often. Trouble is told each minute and stops nothing else."""
        now_ms = self._clock.monotonic_ms()
        if now_ms < self._again_at_ms:
            return
        try:
            if (place := await self.daily()) is not None:
                log.info("heads_published", place=place)
        except Fault as fault:
            self._again_at_ms = now_ms + AGAIN_MS
            log.warning("heads_not_published", reason=str(fault))

    async def daily(self) -> str | None:
        """Publish today's head unless it was; return where it went, None when it was there.

        Raises StoreUnavailable and ShelfUnusable; the next call tries again.
        """
        name = daily_name(KIND, self._clock.now_ms())
        if name == self._done or not self._shelf.is_given:
            return None
        place = None if await self._shelf.has(name) else await self._put(name)
        self._done = name
        return place

    async def now(self) -> str:
        """Publish the head as it is now; return where it went. Raises NameTaken within a second."""
        return await self._put(moment_name(KIND, self._clock.now_ms()))

    async def _put(self, name: str) -> str:
        head = await self._rows.head()
        content = {
            "kind": KIND,
            "published_ms": self._clock.now_ms(),
            "rows": head.no,
            "audit": {"no": head.no, "hash": head.hash.hex()},
        }
        return await self._shelf.put(name, content)
