"""Read the registry topic from its start into a view, then follow it; nothing is decided here."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import structlog
from google.protobuf.message import DecodeError

from libs.bus.port import Bus, Reader, Record
from libs.clock import Clock
from libs.contracts.lesko.v1.registry_pb2 import RegistryChange
from libs.contracts.topics import REGISTRY
from libs.outcome import Fault
from libs.registry.view import ChangeBroken, RegistryView

_PARTITION = 0
_RECORDS_MAX = 1_000
_FIRST_WAIT_MS = 10
_EMPTY = "the registry topic is empty: start admin, which publishes it"
_PARTLY = "the registry topic does not hold all of the registry yet: admin has to publish it"
_READING = "the registry is still being read"
_SKEW_MS = 1_000
"""So far the clock that stamps records may be ahead of ours (DESIGN 12)."""


class RegistryFollower:
    """Keeps one view up to date.

    Whatever happens to the bus, it opens the topic again and reads from the start: versions make
    that harmless. ``report`` hears None while all is well, else a sentence for operators.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        view: RegistryView,
        clock: Clock,
        report: Callable[[str | None], None],
        wait_ms: int = 500,
        retry_ms: int = 1_000,
    ) -> None:
        self._bus = bus
        self._view = view
        self._clock = clock
        self._report = report
        self._wait_ms = wait_ms
        self._retry_ms = retry_ms
        self._filled = asyncio.Event()
        self._first_wait_ms = _FIRST_WAIT_MS
        self._whole = ""  # The log that was seen to hold a full publication.
        self._wall_ahead_ms = self._wall_ahead()  # As of the last proof.
        self._log = structlog.get_logger("registry")
        self.skipped = 0

    async def filled(self) -> None:
        """Wait until a full publication was read to the log's end once; a new switch's is empty."""
        await self._filled.wait()

    async def run(self) -> None:
        """Follow until cancelled."""
        self._report(_READING)
        while True:
            try:
                await self._follow()
            except Fault as fault:
                self._report(f"the registry cannot be read: {fault}")
                await asyncio.sleep(self._retry_ms / 1_000)

    async def _follow(self) -> None:
        """Read from the start for as long as the topic stays the same log."""
        log = (await self._bus.topic(REGISTRY)).id
        reader = await self._bus.open_reader(REGISTRY, starts={_PARTITION: None})
        try:
            while await self._turn(reader, log):
                pass
        finally:
            await reader.close()

    async def _turn(self, reader: Reader, log: str) -> bool:
        """Take once; False when the topic has become another log."""
        before_ms, ahead_ms = self._clock.monotonic_ms(), self._wall_ahead()
        taken = await reader.take(wait_ms=self._patience_ms(), records_max=_RECORDS_MAX)
        if taken:
            self._first_wait_ms = _FIRST_WAIT_MS
            self._apply(taken, log)
            return True
        # Nothing taken proves the end of this log; whether it is still the topic's is asked.
        if (await self._bus.topic(REGISTRY)).id != log:
            return False
        if self._whole != log:
            # The end of a half published registry is no end: what is unknown here may exist.
            self._report(_PARTLY if self._view.versions else _EMPTY)
        else:
            self._wall_ahead_ms = ahead_ms
            self._view.show_current(before_ms)
            self._filled.set()
            self._report(None)
        return True

    def _patience_ms(self) -> int:
        """Say how long to wait for records: an empty take is a proof however short it is.

        Everybody waits for the first proof, so that it is looked for soon, and less often the
        longer nothing comes: admin may be away.
        """
        if self._filled.is_set():
            return self._wait_ms
        wait_ms = min(self._first_wait_ms, self._wait_ms)
        self._first_wait_ms = 2 * wait_ms
        return wait_ms

    def _apply(self, taken: Mapping[int, Sequence[Record]], log: str) -> None:
        for partition, records in taken.items():
            for record in records:
                try:
                    self._take_over(RegistryChange.FromString(record.value), log)
                except (ChangeBroken, DecodeError):
                    self.skipped += 1
                    self._log.warning(
                        "registry_change_skipped", partition=partition, offset=record.offset
                    )
            if self._whole == log:
                self._show_by(records[-1])

    def _show_by(self, record: Record) -> None:
        """Let a record show how far a topic was read that is never found empty.

        Its age is what the wall clock says and what it would say without the steps that it made
        since the last proof, whichever is more: a clock set back by ten minutes would take old news
        for new. What comes out of the future has no age.
        """
        walls = (self._clock.now_ms(), self._clock.monotonic_ms() + self._wall_ahead_ms)
        ages_ms = [wall - record.appended_ms + _SKEW_MS for wall in walls]
        if min(ages_ms) >= 0:
            self._view.show_current(self._clock.monotonic_ms() - max(ages_ms))

    def _wall_ahead(self) -> int:
        return self._clock.now_ms() - self._clock.monotonic_ms()

    def _take_over(self, change: RegistryChange, log: str) -> None:
        if not change.HasField("published"):
            self._view.apply(change)
        elif change.published.log == log:
            self._whole = log
