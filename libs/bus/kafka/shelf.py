"""Records that were fetched and wait to be taken; nobody starves, nothing is lost to a cut take."""

import asyncio
from collections.abc import Sequence

from libs.bus.port import Record
from libs.outcome import Fault


class Shelf:
    """By partition and in order, bounded; one task puts, one takes."""

    def __init__(self, *, records_max: int) -> None:
        self._max = records_max
        self._records: dict[int, list[Record]] = {}  # Partitions longest waiting first.
        self._count = 0
        self._fault: Fault | None = None
        self._stirred = asyncio.Event()
        self._emptied = asyncio.Event()

    @property
    def has_any(self) -> bool:
        """Tell whether a take would give or raise something."""
        return self._count > 0 or self._fault is not None

    @property
    def is_full(self) -> bool:
        """Tell whether nothing should be fetched now."""
        return self._count >= self._max

    def put(self, partition: int, records: Sequence[Record]) -> None:
        """Add records behind the others of their partition."""
        self._records.setdefault(partition, []).extend(records)
        self._count += len(records)
        self._stirred.set()

    def end(self, fault: Fault) -> None:
        """Raise this once all that is here was taken, and again at each take."""
        self._fault = fault
        self._stirred.set()

    def clear(self) -> None:
        """Forget all that was not taken."""
        self._records.clear()
        self._count = 0
        self._emptied.set()

    def stir(self) -> None:
        """Wake whoever waits."""
        self._stirred.set()

    async def wait(self, seconds: float) -> None:
        """Wait until something has happened, at most that long."""
        if self.has_any:
            return
        self._stirred.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._stirred.wait()
        except TimeoutError:
            return

    async def wait_for_room(self) -> None:
        """Wait until records may be put."""
        while self.is_full:
            self._emptied.clear()
            await self._emptied.wait()

    def take(self, records_max: int) -> dict[int, list[Record]]:
        """Return what waits, no more than asked; raises the fault at the end of it."""
        if self._count == 0 and self._fault is not None:
            raise self._fault
        taken: dict[int, list[Record]] = {}
        for partition in list(self._records):
            records = self._records.pop(partition)
            if len(records) > records_max:
                self._records[partition] = records[records_max:]  # Behind the others.
                records = records[:records_max]
            taken[partition] = records
            records_max -= len(records)
            self._count -= len(records)
            if records_max <= 0:
                break
        if not self.is_full:
            self._emptied.set()
        return taken
