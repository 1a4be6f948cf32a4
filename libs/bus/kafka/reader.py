"""A reader as services see it: takes from the shelf that a pump fills."""

from collections.abc import Callable, Mapping, Sequence

from libs.bus.faults import BusUnavailable
from libs.bus.kafka.pump import Pump
from libs.bus.kafka.shelf import Shelf
from libs.bus.kafka.source import Source
from libs.bus.port import Record
from libs.clock import Clock


class KafkaReader:
    """Made by KafkaBus; one task may take from it."""

    def __init__(
        self,
        source: Source,
        shelf: Shelf,
        pump: Pump,
        clock: Clock,
        *,
        closed: Callable[["KafkaReader"], None],
    ) -> None:
        self._source = source
        self._shelf = shelf
        self._pump = pump
        self._clock = clock
        self._closed = closed
        self._is_open = True

    async def take(self, *, wait_ms: int, records_max: int) -> Mapping[int, Sequence[Record]]:
        """Return what waits, or nothing once every partition was heard to have no more.

        That takes a fetch that finds nothing, also where ``wait_ms`` is less. Raises LogGap and
        LogReplaced, again at each call, and BusUnavailable.
        """
        self._begin()
        if not self._shelf.has_any:
            before = self._pump.stamps()
            deadline_ms = self._clock.monotonic_ms() + wait_ms
            while not self._shelf.has_any:
                left_ms = deadline_ms - self._clock.monotonic_ms()
                if left_ms <= 0:
                    await self._prove(before)
                    break
                await self._shelf.wait(left_ms / 1000)
                self._begin()
        return self._shelf.take(records_max)

    def acknowledge(self, through: Mapping[int, int]) -> None:
        """Note what was handled; a lower offset than before changes nothing."""
        self._source.acknowledge(through)

    async def close(self) -> None:
        """Store what was acknowledged and let go, under time limits; a second call does nothing."""
        if self._is_open:
            self._is_open = False
            self._shelf.stir()
            self._closed(self)
            await self._pump.stop()

    def _begin(self) -> None:
        if not self._is_open:
            raise BusUnavailable(f"the reader of {self._source.topic} is closed")
        self._source.tell_assigned()

    async def _prove(self, before: Mapping[object, int | None]) -> None:
        is_proved = await self._pump.prove(before)
        self._begin()
        if not is_proved and not self._shelf.has_any:
            message = f"no fetch of {self._source.topic} was answered"
            raise BusUnavailable(self._pump.problem or message)
