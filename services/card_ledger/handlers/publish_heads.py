"""Write the heads of the books to a place outside of the database, daily and when asked."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import structlog

from libs.clock import Clock
from libs.heads import daily_name, moment_name
from libs.outcome import Fault
from services.card_ledger.domain.head import PartitionHead, heads_document

KIND: Final = "ledger"
EVERY_MS: Final = 60_000
log = structlog.get_logger("card_ledger")


class Heads(Protocol):
    """Where the books end (store.heads)."""

    async def heads(self) -> Sequence[PartitionHead]:
        """Return every partition's head. Raises StoreUnavailable."""


class Shelf(Protocol):
    """Where heads are kept outside of the database (libs.heads)."""

    @property
    def is_given(self) -> bool:
        """Whether there is any."""

    async def has(self, name: str) -> bool:
        """Whether something of this name was put there. Raises ShelfUnusable."""

    async def put(self, name: str, content: Mapping[str, object]) -> str:
        """Keep a content under a new name; return where. Raises ShelfUnusable, NameTaken."""


class PublishHeads:
    """Publishes where each partition ends. Whoever serves the books does it daily."""

    def __init__(self, books: Heads, shelf: Shelf, clock: Clock) -> None:
        self._books = books
        self._shelf = shelf
        self._clock = clock
        self._done = ""  # The day's name that is known to be there.

    async def daily(self) -> str | None:
        """Publish today's heads unless they were; return where they went, None when there.

        Raises StoreUnavailable and ShelfUnusable; the next call tries again.
        """
        name = daily_name(KIND, self._clock.now_ms())
        if name == self._done:
            return None
        place = None if await self._shelf.has(name) else await self._put(name)
        self._done = name
        return place

    async def now(self) -> str:
        """Publish the heads as they are now; return where. Raises NameTaken within a second."""
        return await self._put(moment_name(KIND, self._clock.now_ms()))

    async def keep(self, *, every_ms: int = EVERY_MS) -> None:
        """Publish daily until cancelled; a shelf that cannot be used is told again each time.

        Nothing else waits for it: payments go on without.
        """
        while self._shelf.is_given:
            try:
                if (place := await self.daily()) is not None:
                    log.info("heads_published", place=place)
            except Fault as fault:
                log.warning("heads_not_published", reason=str(fault))
            await asyncio.sleep(every_ms / 1_000)

    async def _put(self, name: str) -> str:
        document = heads_document(await self._books.heads(), published_ms=self._clock.now_ms())
        return await self._shelf.put(name, document)
