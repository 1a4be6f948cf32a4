"""One live producer, replaced when it can no longer be trusted; every record's fate is looked at.

What holds of order. Records of one producer keep their order in each partition, whatever is tried
again inside it. A producer that is replaced drops what it had queued and hangs up, so only what
was on the wire by then, one request for each broker, can still be appended, behind newer records.
All of it was reported as SendUnknown: whoever needs it has sent it again, so a late one is a repeat
of a record that stands before it, or one that its sender gave up. Readers must bear both (DESIGN 2,
promises 3 and 4); they have to anyway.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
from aiokafka.structs import RecordMetadata

from libs.bus.faults import BusUnavailable, SendRefused, SendUnknown
from libs.bus.kafka.closing import Closer
from libs.bus.kafka.room import Room
from libs.bus.kafka.settings import KafkaLimits
from libs.bus.kafka.skew import Skew
from libs.bus.port import Outgoing
from libs.clock import Clock
from libs.outcome import Fault

HEADER: Final = "envelope"
_OVERHEAD_BYTES: Final = 300  # Of a record in our memory, beside its bytes.
_RETRY_MS: Final = 250
_TOO_LARGE: Final = (MessageSizeTooLargeError, RecordListTooLargeError)
_NOT_ALLOWED: Final = (ClusterAuthorizationFailedError, TopicAuthorizationFailedError)

Sent = asyncio.Future[RecordMetadata]


class _Live:
    """A producer, and since when it has had work without any success; None: it has no work."""

    __slots__ = ("kafka", "left", "sends", "silent_since_ms")

    def __init__(self, kafka: AIOKafkaProducer) -> None:
        self.kafka = kafka
        self.sends = 0
        self.left = 0  # Records on their way whose senders wait no longer.
        self.silent_since_ms: int | None = None

    def begin(self, now_ms: int) -> None:
        """Note a send."""
        self.sends += 1
        if self.silent_since_ms is None:
            self.silent_since_ms = now_ms

    def succeed(self, now_ms: int) -> None:
        """Note that something was confirmed."""
        self.silent_since_ms = now_ms if self.sends else None

    def rest(self) -> None:
        """Forget the silence once nothing is on its way: from then on it is no sign of trouble."""
        if not self.sends and not self.left:
            self.silent_since_ms = None

    def silent_ms(self, now_ms: int) -> int:
        """Return for how long nothing was confirmed."""
        return 0 if self.silent_since_ms is None else now_ms - self.silent_since_ms


class ReplaceableProducer:
    """Sends to partitions that are known to exist."""

    def __init__(
        self,
        make: Callable[[], AIOKafkaProducer],
        clock: Clock,
        closer: Closer,
        *,
        limits: KafkaLimits,
    ) -> None:
        self._make = make
        self._clock = clock
        self._closer = closer
        self._limits = limits
        self._room = Room(limits.in_flight_bytes_max)
        self._live: _Live | None = None
        self._starting: asyncio.Task[None] | None = None
        self._failed: tuple[int, Fault] | None = None
        self._is_open = False
        self._log = structlog.get_logger("libs.bus.kafka")
        self.replaced = 0
        self.skew = Skew(clock)

    async def start(self) -> None:
        """Connect; raises BusUnavailable."""
        self._is_open = True
        try:
            await self._obtain(self._clock.monotonic_ms() + self._limits.start_ms)
        except BusUnavailable:
            self._is_open = False
            raise

    async def stop(self) -> None:
        """Send what is left under a time limit."""
        self._is_open = False
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait({self._starting})
        if (live := self._live) is not None:
            self._live = None
            await asyncio.wait({self._closer.end_producer(live.kafka, flush=True)})

    async def send(self, records: Sequence[Outgoing], *, deadline_ms: int) -> None:
        """Send in order; return when all are acknowledged by then.

        Raises SendUnknown; SendRefused and BusUnavailable, after which nothing is on its way.
        """
        size = 0
        for record in records:
            bytes_ = len(record.key) + len(record.value) + len(record.envelope)
            if bytes_ > self._limits.batch_bytes:
                message = f"a record of {bytes_} bytes is too large for {record.topic}"
                raise SendRefused(message)
            size += bytes_ + _OVERHEAD_BYTES
        await self._room.take(size, seconds=self._seconds_until(deadline_ms))
        sent: list[Sent] = []
        live: _Live | None = None
        try:
            live = await self._obtain(deadline_ms)
            await self._send(live, records, sent, deadline_ms)
        finally:
            self._settle(live, size, sent)

    def replace(self, why: str) -> None:
        """Let go of the producer; what it has not sent is dropped and reported as unknown."""
        if (live := self._live) is not None:
            self._live = None
            self.replaced += 1
            self._log.warning("producer_replaced", reason=why)
            self._closer.end_producer(live.kafka, flush=False)

    async def _send(
        self, live: _Live, records: Sequence[Outgoing], sent: list[Sent], deadline_ms: int
    ) -> None:
        live.begin(self._clock.monotonic_ms())
        sent_ms = self._clock.now_ms()
        try:
            last = await self._hand_over(live, records, sent, deadline_ms)
            # Order makes the rest done once the last of each partition is.
            await asyncio.wait(last, timeout=self._seconds_until(deadline_ms))
        finally:
            live.sends -= 1
        for future in sent:
            if not future.done():
                self._missed(live)
                raise SendUnknown(f"{_name(records)} not confirmed in time")
            if (error := future.exception()) is not None:
                raise self._judge(live, error, records)
        live.succeed(self._clock.monotonic_ms())
        self.skew.note(sent_ms=sent_ms, appended_ms=sent[-1].result().timestamp)

    async def _hand_over(
        self, live: _Live, records: Sequence[Outgoing], sent: list[Sent], deadline_ms: int
    ) -> "list[Sent]":
        """Give the records to the producer; return the last future of each partition."""
        send = live.kafka.send
        now_ms = self._clock.now_ms()
        last: dict[tuple[str, int], Sent] = {}
        try:
            async with asyncio.timeout(self._seconds_until(deadline_ms)):
                for topic, partition, key, value, envelope in records:
                    future = await send(topic, value, key, partition, now_ms, [(HEADER, envelope)])
                    sent.append(future)
                    last[topic, partition] = future
        except TimeoutError:
            self._missed(live)
            raise SendUnknown(f"{_name(records)} could not all be sent in time") from None
        except (KafkaError, AssertionError) as error:
            raise self._judge(live, error, records) from None
        return list(last.values())

    def _judge(self, live: _Live, error: BaseException, records: Sequence[Outgoing]) -> Fault:
        """Return our fault; the producer tries again by itself, so what it tells is grave."""
        name = type(error).__name__
        if isinstance(error, _TOO_LARGE):
            return SendRefused(f"the broker will not take {_name(records)}: {name}")
        if isinstance(error, _NOT_ALLOWED):
            return BusUnavailable(f"we may not write {_name(records)}: {name}")
        if live is self._live:
            self.replace(name)
        return SendUnknown(f"{_name(records)} may have been sent or not: {name}")

    def _missed(self, live: _Live) -> None:
        """Replace the producer when it has had no success for too long."""
        silent_ms = live.silent_ms(self._clock.monotonic_ms())
        if live is self._live and silent_ms >= self._limits.stuck_ms:
            self.replace("stuck")

    def _settle(self, live: _Live | None, size: int, sent: Sequence[Sent]) -> None:
        """Give the room back once no record is on its way any more."""
        left = [future for future in sent if not future.done()]
        if live is None or not left:
            for future in sent:
                _look_at(future)
            self._room.give_back(size)
            if live is not None:
                live.rest()
            return
        count = len(left)
        live.left += count

        def ended(future: Sent) -> None:
            nonlocal count
            if _look_at(future):
                live.succeed(self._clock.monotonic_ms())
            count -= 1
            live.left -= 1  # One that failed leaves the silence: it was no success.
            if count == 0:
                self._room.give_back(size)

        for future in sent:
            if not future.done():
                future.add_done_callback(ended)
            else:
                _look_at(future)

    async def _obtain(self, deadline_ms: int) -> _Live:
        while (live := self._live) is None:
            if not self._is_open:
                raise BusUnavailable("the bus is not started or was stopped")
            if self._failed is not None and self._clock.monotonic_ms() < self._failed[0]:
                raise BusUnavailable(str(self._failed[1]))
            if (seconds := self._seconds_until(deadline_ms)) <= 0:
                raise BusUnavailable("Kafka gave us no producer in time")
            if self._starting is None:
                # A task of its own: a publisher with little time must not cut it short.
                self._starting = asyncio.create_task(self._start())
            await asyncio.wait({self._starting}, timeout=seconds)
        return live

    async def _start(self) -> None:
        kafka = self._make()
        is_started = False
        try:
            async with asyncio.timeout(self._limits.start_ms / 1000):
                await kafka.start()
            is_started = True
        except (KafkaError, OSError, TimeoutError) as trouble:
            fault = BusUnavailable(f"Kafka gives us no producer ({type(trouble).__name__})")
            self._failed = (self._clock.monotonic_ms() + _RETRY_MS, fault)
        finally:
            self._starting = None
            if is_started:
                self._live = _Live(kafka)
                self._failed = None
            else:
                self._closer.end_producer(kafka, flush=False)

    def _seconds_until(self, deadline_ms: int) -> float:
        return max(0, deadline_ms - self._clock.monotonic_ms()) / 1000


def _look_at(future: Sent) -> bool:
    """Tell whether a record was confirmed; nobody else may look at how it failed."""
    if future.cancelled():
        return False
    return future.exception() is None


def _name(records: Sequence[Outgoing]) -> str:
    return f"{len(records)} records to {', '.join(sorted({each.topic for each in records}))}"
