"""A position in some partitions of a memory topic; wakes when records come."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from libs.bus.faults import BusUnavailable, LogGap, LogTailLost
from libs.bus.memory_log import Log
from libs.bus.port import Record


class MemoryReader:
    """Made by MemoryBus; one task may take from it.

    ``hold`` is shared with the bus: per partition the first offset that must not be dropped.
    """

    def __init__(
        self,
        topic: str,
        logs: Mapping[int, Log],
        hold: dict[int, int],
        *,
        is_tail: bool,
        acknowledged: Callable[[int], None],
        closed: Callable[[], None],
    ) -> None:
        self._topic = topic
        self._logs = logs
        self._hold = hold
        self._is_tail = is_tail
        self._acknowledged = acknowledged
        self._closed = closed
        self._positions = dict(hold)
        # Partitions that may have records, longest waiting first; a dict serves as ordered set.
        self._ready = dict.fromkeys(n for n, log in logs.items() if hold[n] != log.end)
        self._sleeper: asyncio.Future[None] | None = None
        self._is_open = True
        self._is_cut = False

    async def take(self, *, wait_ms: int, records_max: int) -> Mapping[int, Sequence[Record]]:
        """Return what waits; lets other tasks run first, so that their records come along.

        Raises LogGap, again at each call, and BusUnavailable once reader or bus is closed.
        """
        if self._ready:
            await asyncio.sleep(0)
        elif self._is_open and not self._is_cut:
            await self._sleep(wait_ms)
        if self._is_cut or not self._is_open:
            raise BusUnavailable(f"the reader of {self._topic} is closed")
        return self._gather(records_max) if self._ready else {}

    def acknowledge(self, through: Mapping[int, int]) -> None:
        """Let go of what was handled; a lower offset than before changes nothing."""
        hold = self._hold
        for partition, offset in through.items():
            if offset >= hold[partition]:
                hold[partition] = offset + 1
                self._acknowledged(partition)

    async def close(self) -> None:
        """Let go of the partitions; a second call does nothing."""
        if self._is_open:
            self._is_open = False
            self._stir()
            self._closed()

    def wake(self, partition: int) -> None:
        """Say that a partition has records."""
        self._ready[partition] = None
        self._stir()

    def cut(self) -> None:
        """Say that the bus is gone."""
        self._is_cut = True
        self._stir()

    def _stir(self) -> None:
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)

    async def _sleep(self, wait_ms: int) -> None:
        loop = asyncio.get_running_loop()
        self._sleeper = loop.create_future()
        timer = loop.call_later(wait_ms / 1000, self._stir)
        try:
            await self._sleeper
        finally:
            timer.cancel()
            self._sleeper = None

    def _gather(self, records_max: int) -> dict[int, list[Record]]:
        taken: dict[int, list[Record]] = {}
        ready = list(self._ready)
        for number in ready:
            position = self._positions[number]
            log = self._logs[number]
            if not log.first <= position <= log.end:
                if taken:
                    break  # What was taken must reach the reader first; the gap stays in front.
                raise self._gap(number, position, log)
            records = log.read(position, records_max)
            del self._ready[number]
            if records:
                taken[number] = records
                position = self._positions[number] = records[-1].offset + 1
                records_max -= len(records)
                if self._is_tail:
                    self._hold[number] = position
                    self._acknowledged(number)
            if position < log.end:
                self._ready[number] = None  # Behind the others: nobody starves.
            if records_max <= 0:
                break
        return taken

    def _gap(self, number: int, position: int, log: Log) -> LogGap:
        if position < log.first:
            return LogGap(self._topic, number, position, log.first - 1)
        return LogTailLost(self._topic, {number: position}, {number: log.end})
