"""The one consumer loop: take, handle, publish, acknowledge; no business of any service.

The order of its steps is the delivery guarantee: a crash between any two of them only causes
redelivery. The only broad ``except`` of the product stands here (DESIGN 9).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ParamSpec, Protocol

from libs.bus.dead_letters import DeadCount
from libs.bus.faults import BusUnavailable, LoopStopped, PartitionStopped
from libs.bus.halves import Batch, halves
from libs.bus.port import Outgoing, Reader, Record
from libs.bus.setbacks import Setbacks
from libs.observe.figures import LoopFigures
from libs.outcome import Fault

_Asked = ParamSpec("_Asked")

Handle = Callable[[Batch], Awaitable[Sequence[Outgoing]]]
Poison = Callable[[Record, str], Awaitable[Sequence[Outgoing]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSettings:
    """Bounds of one loop."""

    records_max: int = 500
    wait_ms: int = 1_000
    send_timeout_ms: int = 5_000
    stop_ms: int = 5_000  # How long the batch in hand may take once we are asked to stop.
    backoff_first_ms: int = 50
    backoff_last_ms: int = 5_000
    # More dead records than this mean that we are broken, not they: the loop stops.
    dead_in_a_row_max: int = 20
    dead_window: int = 1_000
    dead_in_window_max: int = 100


class Publisher(Protocol):
    """The half of a bus that a loop sends with."""

    async def publish(self, records: Sequence[Outgoing], *, timeout_ms: int) -> None:
        """As Bus.publish."""


async def run_batches(
    reader: Reader,
    bus: Publisher,
    handle: Handle,
    *,
    poison: Poison,
    report: Callable[[str | None], None],
    settings: LoopSettings | None = None,
    acknowledged: Callable[[Mapping[int, int]], None] | None = None,
    figures: LoopFigures | None = None,
) -> None:
    """Serve until cancelled; the batch in hand is then finished within ``stop_ms``.

    A retriable Fault brings the same batch again, with pauses, for ever; ``report`` hears a
    sentence, and None once work goes on. Any other exception is halved down to the record, which
    goes to ``poison``; where that fails for good too, or PartitionStopped is raised, the partition
    is left alone from this record on. Raises LoopStopped and what ``take`` raises for good.
    ``acknowledged`` hears what the reader was told. The reader stays open: its opener closes it.
    """
    loop = _Loop(reader, bus, handle, poison, Setbacks(report), settings or LoopSettings())
    loop.acknowledged = acknowledged
    loop.figures = figures
    # A task of its own for the whole life, so that our cancellation does not hit a batch in hand.
    work = asyncio.create_task(loop.run())
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        await loop.finish(work)
        raise


class _Loop:
    """The state of one run."""

    def __init__(
        self,
        reader: Reader,
        bus: Publisher,
        handle: Handle,
        poison: Poison,
        setbacks: Setbacks,
        settings: LoopSettings,
    ) -> None:
        self._reader = reader
        self._bus = bus
        self._handle = handle
        self._poison = poison
        self._setbacks = setbacks
        self._settings = settings
        self.acknowledged: Callable[[Mapping[int, int]], None] | None = None
        self.figures: LoopFigures | None = None
        self._dead = DeadCount(
            in_a_row_max=settings.dead_in_a_row_max,
            window=settings.dead_window,
            in_window_max=settings.dead_in_window_max,
        )
        self._left_alone: set[int] = set()
        self._is_stopping = False
        self._is_idle = False

    async def run(self) -> None:
        """Work until asked to stop."""
        self._setbacks.over()
        try:
            while not self._is_stopping:
                self._is_idle = True
                batch = await self._take()
                self._is_idle = False
                if batch:
                    await self._settle(batch)
        except Fault as fault:
            self._setbacks.stopped(fault)
            raise

    async def finish(self, work: asyncio.Task[None]) -> None:
        """Let the batch in hand end under the time limit."""
        self._is_stopping = True
        try:
            if not self._is_idle:
                await asyncio.wait({work}, timeout=self._settings.stop_ms / 1000)
        finally:
            was_cut = work.cancel() and not self._is_idle
        await asyncio.wait({work})
        fault = None if work.cancelled() else work.exception()
        if was_cut or fault is not None:
            self._setbacks.ended(fault)

    async def _take(self) -> Batch:
        tries = 0
        while True:
            try:
                batch = await self._reader.take(
                    wait_ms=self._settings.wait_ms, records_max=self._settings.records_max
                )
            except BusUnavailable as fault:
                tries += 1
                self._setbacks.trying_again(fault, tries)
                await self._pause(tries)
            else:
                if tries:
                    self._setbacks.over()
                return batch

    async def _settle(self, batch: Batch) -> None:
        """Settle all of a batch, in order within each partition, in as many pieces as it takes."""
        todo = [batch]
        while todo:
            part = self._without_left_alone(todo.pop())
            if not part:
                continue
            fault = await self._attempt(part, self._handle, part)
            if fault is None:
                self._dead.settled(sum(map(len, part.values())))
            elif (both := halves(part)) is not None:
                self._setbacks.halved(part, fault)
                todo += reversed(both)
            else:
                await self._bury(part, fault)

    async def _bury(self, part: Batch, fault: Exception) -> None:
        """Give the one record of ``part`` to the poison callback, or leave its partition alone."""
        ((partition, (record,)),) = part.items()
        last: Exception | None = fault
        if not isinstance(fault, PartitionStopped):
            self._dead.died()  # Raises TooManyDead before this record is given up.
            self._setbacks.died(record, fault)
            if self.figures is not None:
                self.figures.dead.inc()
            last = await self._attempt(part, self._poison, record, type(fault).__name__)
        if last is not None:
            self._left_alone.add(partition)
            self._setbacks.left_alone(record, last)

    async def _attempt(
        self,
        part: Batch,
        produce: Callable[_Asked, Awaitable[Sequence[Outgoing]]],
        *args: _Asked.args,
        **kwargs: _Asked.kwargs,
    ) -> Exception | None:
        """Produce, publish and acknowledge; return what makes it hopeless, None when done."""
        tries = 0
        while True:
            try:
                outgoing = await produce(*args, **kwargs)
                if outgoing:
                    await self._bus.publish(outgoing, timeout_ms=self._settings.send_timeout_ms)
            except LoopStopped:
                raise
            except Exception as fault:  # noqa: BLE001 -- the one place of the product (DESIGN 9)
                if not (isinstance(fault, Fault) and fault.retriable):
                    return fault
                tries += 1
                if self.figures is not None:
                    self.figures.retried.inc()
                self._setbacks.trying_again(fault, tries, part)
                await self._pause(tries)
            else:
                if tries:
                    self._setbacks.over()
                self._acknowledge(part)
                return None

    def _acknowledge(self, part: Batch) -> None:
        through = {partition: records[-1].offset for partition, records in part.items()}
        self._reader.acknowledge(through)
        if self.acknowledged is not None:
            self.acknowledged(through)
        if self.figures is not None:
            self.figures.settled.inc(sum(map(len, part.values())))

    def _without_left_alone(self, part: Batch) -> Batch:
        if not self._left_alone:
            return part
        return {n: records for n, records in part.items() if n not in self._left_alone}

    async def _pause(self, tries: int) -> None:
        first, last = self._settings.backoff_first_ms, self._settings.backoff_last_ms
        # The power is bounded too: a night of retries must not build a number of a thousand bits.
        await asyncio.sleep(min(last, first << min(tries - 1, 16)) / 1000)
