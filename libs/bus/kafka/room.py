"""How much may be on its way at once; whoever finds no room waits."""

import asyncio

from libs.bus.faults import BusUnavailable


class Room:
    """Bytes in flight, bounded; what is larger than all of it goes alone."""

    def __init__(self, bytes_max: int) -> None:
        self._max = bytes_max
        self._taken = 0
        self._freed = asyncio.Event()

    @property
    def taken_bytes(self) -> int:
        """What is on its way now."""
        return self._taken

    async def take(self, size: int, *, seconds: float) -> None:
        """Take room; raises BusUnavailable when there is none in time."""
        if not self._fits(size):
            try:
                async with asyncio.timeout(seconds):
                    while not self._fits(size):
                        await self._freed.wait()
            except TimeoutError:
                message = f"{self._taken} bytes are on their way to Kafka and do not arrive"
                raise BusUnavailable(message) from None
        self._taken += size

    def give_back(self, size: int) -> None:
        """Let go of room."""
        self._taken -= size
        freed, self._freed = self._freed, asyncio.Event()
        freed.set()

    def _fits(self, size: int) -> bool:
        return self._taken == 0 or self._taken + size <= self._max
