"""Send what the outbox holds, again and again until it is answered; one process at a time."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Final

from libs.bus.port import Bus, Outgoing
from libs.clock import Clock
from libs.contracts.envelope import first_envelope
from libs.contracts.topics import ADMIN_ANSWERS, REQUESTS
from libs.outcome import Fault
from services.admin.ports import CommandRows, OpenCommand, Relay

_PAUSE_S: Final = 0.5


class SendCommands:
    """Nothing is remembered but when each was sent last, so a killed sender loses nothing.

    Of one partition at most ``in_flight_max`` wait for their answers: other work on it has its
    turn between them. Answers come to our own partition of ``admin.answers``.
    """

    def __init__(
        self,
        rows: CommandRows,
        relay: Relay,
        bus: Bus,
        clock: Clock,
        *,
        instance: int,
        resend_every_ms: int,
        in_flight_max: int,
        send_timeout_ms: int,
    ) -> None:
        self._rows = rows
        self._relay = relay
        self._bus = bus
        self._clock = clock
        self._instance = instance
        self._resend_every_ms = resend_every_ms
        self._in_flight_max = in_flight_max
        self._send_timeout_ms = send_timeout_ms
        self._sent_ms: dict[bytes, int] = {}
        self._turn: tuple[str, int] | None = None
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """Look at the outbox now: something was added, or answered and left room."""
        self._nudged.set()

    async def run(self, report: Callable[[str | None], None], *, look_every_ms: int) -> None:
        """Send until cancelled; trouble is told to ``report`` and tried again."""
        while True:
            self._nudged.clear()
            try:
                await self()
            except Fault as fault:
                report(f"commands cannot be sent: {fault}")
                await asyncio.sleep(_PAUSE_S)
                continue
            report(None)
            with suppress(TimeoutError):
                async with asyncio.timeout(look_every_ms / 1_000):
                    await self._nudged.wait()

    async def __call__(self) -> int:
        """Send what is due; return how many. Raises the store's and the bus's faults."""
        if not await self._is_our_turn():
            return 0
        found = await self._rows.open_commands(rows_max=self._in_flight_max)
        now_ms = self._clock.monotonic_ms()
        open_ids = {one.id for one in found}
        self._sent_ms = {one: at for one, at in self._sent_ms.items() if one in open_ids}
        due = [one for one in found if self._is_due(one, now_ms)]
        trouble: Fault | None = None
        for _, some in groupby(sorted(due, key=lambda one: one.topic), lambda one: one.topic):
            try:
                await self._publish(list(some))
            except Fault as fault:  # Another topic may be well.
                trouble = fault
        if trouble is not None:
            raise trouble
        return len(due)

    async def _publish(self, some: Sequence[OpenCommand]) -> None:
        outgoing = list(self._outgoing(some))
        await self._bus.publish(outgoing, timeout_ms=self._send_timeout_ms)
        now_ms = self._clock.monotonic_ms()
        self._sent_ms |= {one.id: now_ms for one in some}

    def _outgoing(self, some: Sequence[OpenCommand]) -> Iterator[Outgoing]:
        for one in some:
            envelope = first_envelope(
                schema=one.schema,
                answer_topic=ADMIN_ANSWERS,
                answer_partition=self._instance,
                deadline_ms=0,
            )
            envelope.correlation_id = one.id
            header = envelope.SerializeToString()
            yield Outgoing(one.topic, one.partition, one.key, one.record, header)

    def _is_due(self, one: OpenCommand, now_ms: int) -> bool:
        sent_ms = self._sent_ms.get(one.id)
        return sent_ms is None or now_ms - sent_ms >= self._resend_every_ms

    async def _is_our_turn(self) -> bool:
        """Ask for it; with a new turn or on a new log nothing counts as sent."""
        log = (await self._bus.topic(REQUESTS)).id
        number = await self._relay.turn(f"commands {log}")
        turn = None if number is None else (log, number)
        if turn != self._turn:
            self._sent_ms.clear()
            self._turn = turn
        return turn is not None
