"""What becomes of a send: confirmed, refused, unknown; and when the producer is replaced."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    TopicAuthorizationFailedError,
)
from aiokafka.structs import RecordMetadata, TopicPartition

from libs.bus import BusUnavailable, Outgoing, SendRefused, SendUnknown
from libs.bus.kafka.producer import ReplaceableProducer
from libs.bus.kafka.settings import KafkaLimits
from libs.clock import Clock, SystemClock
from libs.fakes.clock import FixedClock

LIMITS = KafkaLimits(in_flight_bytes_max=10_000, batch_bytes=5_000, stuck_ms=200, start_ms=1_000)
CARD = b"4000001234567899"

Answer = BaseException | str | None


def stamped(at_ms: int) -> RecordMetadata:
    """Return what a broker says of a record that it appended at this time."""
    return RecordMetadata("t.x.v1", 0, TopicPartition("t.x.v1", 0), 0, at_ms, 1, 0)


class ScriptedProducer:
    """Confirms sends with what ``answer`` returns: None at once, an exception, or never."""

    def __init__(self, answer: Callable[[int], Answer]) -> None:
        self._answer = answer
        self.sent: list[tuple[Any, ...]] = []
        self.futures: list[asyncio.Future[object]] = []
        self.start_fault: Exception | None = None
        self.has_sent = asyncio.Event()
        self.stamp_ms = 0

    async def start(self) -> None:
        """Start, or fail as told."""
        if self.start_fault is not None:
            raise self.start_fault

    async def send(self, *record: Any) -> asyncio.Future[object]:
        """Remember; the future ends as the script says."""
        self.sent.append(record)
        self.has_sent.set()
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        answer = self._answer(len(self.sent) - 1)
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        elif answer is None:
            future.set_result(stamped(self.stamp_ms))
        self.futures.append(future)
        return future


class Endings:
    """Stands for the closer: remembers, ends nothing, but fails what is on its way."""

    def __init__(self) -> None:
        self.ended: list[object] = []

    def end_producer(self, producer: ScriptedProducer, *, flush: bool) -> "asyncio.Task[None]":
        """Remember."""
        self.ended.append(producer)
        for future in producer.futures:
            if not future.done():
                future.set_exception(KafkaConnectionError("replaced"))
        return asyncio.create_task(asyncio.sleep(0))


class Bench:
    """A producer under test; each new one behind it follows the script."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.answer: Callable[[int], BaseException | str | None] = lambda _: None
        self.start_fault: Exception | None = None
        self.made: list[ScriptedProducer] = []
        self.endings = Endings()
        self.clock = clock or SystemClock()
        self.producer = ReplaceableProducer(
            self._make,
            self.clock,
            self.endings,  # type: ignore[arg-type]  # -- it has what is used
            limits=LIMITS,
        )

    def _answer(self, number: int) -> Answer:
        return self.answer(number)

    def _make(self) -> ScriptedProducer:
        made = ScriptedProducer(self._answer)
        made.start_fault = self.start_fault
        self.made.append(made)
        return made

    async def send(self, *values: bytes, timeout_ms: int = 50, partition: int = 0) -> None:
        """Send one record for each value."""
        records = [Outgoing("t.x.v1", partition, b"k", value, b"env") for value in values]
        deadline_ms = self.clock.monotonic_ms() + timeout_ms
        await self.producer.send(records, deadline_ms=deadline_ms)

    @property
    def taken_bytes(self) -> int:
        """What counts as on its way."""
        return self.producer._room.taken_bytes


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    await bench.producer.start()
    yield bench
    await bench.producer.stop()


def answers(*script: Answer) -> Callable[[int], Answer]:
    return lambda n: script[n] if n < len(script) else None


class TestSend:
    async def test_sends_partition_key_and_one_header(self, bench: Bench) -> None:
        """Nothing but the envelope is in the headers, and the partition is given."""
        await bench.send(b"a", partition=3)

        ((topic, value, key, partition, _, headers),) = bench.made[0].sent
        assert ("t.x.v1", b"a", b"k", 3) == (topic, value, key, partition)
        assert [("envelope", b"env")] == headers
        assert 0 == bench.taken_bytes

    async def test_looks_at_the_brokers_clock(self) -> None:
        """A record that was stamped before it was sent shows that our clock is ahead."""
        bench = Bench(FixedClock(600_000))
        await bench.producer.start()

        await bench.send(b"a")

        assert 600_000 == bench.producer.skew.ms
        await bench.producer.stop()

    async def test_checks_every_record(self, bench: Bench) -> None:
        """A failure in the middle is not hidden by a last record that went well."""
        bench.answer = answers(None, OutOfOrderSequenceNumber(), None)

        with pytest.raises(SendUnknown):
            await bench.send(b"a", b"b", b"c")

    async def test_replaces_a_producer_out_of_order(self, bench: Bench) -> None:
        """It would fail every later send; the next send goes over a new one."""
        bench.answer = answers(OutOfOrderSequenceNumber())
        with pytest.raises(SendUnknown):
            await bench.send(b"a")

        bench.answer = answers()
        await bench.send(b"b")

        assert [bench.made[0]] == bench.endings.ended
        assert [1, 1] == [len(each.sent) for each in bench.made]

    async def test_is_unknown_at_its_deadline(self, bench: Bench) -> None:
        """What is not confirmed counts as on its way until it is; then there is room again."""
        bench.answer = answers("never")
        with pytest.raises(SendUnknown):
            await bench.send(b"a", timeout_ms=20)
        held = bench.taken_bytes

        bench.made[0].futures[0].set_result(stamped(0))
        await asyncio.sleep(0)

        assert held > 0
        assert 0 == bench.taken_bytes
        assert [] == bench.endings.ended

    async def test_replaces_one_that_never_succeeds(self, bench: Bench) -> None:
        """Short deadlines add up: without any success for long the producer is stuck."""
        bench.answer = lambda _: "never"
        began_ms = bench.clock.monotonic_ms()

        async with asyncio.timeout(5):
            while not bench.endings.ended:
                with pytest.raises(SendUnknown):
                    await bench.send(b"a", timeout_ms=20)

        assert bench.clock.monotonic_ms() - began_ms >= LIMITS.stuck_ms
        await asyncio.sleep(0)
        assert 0 == bench.taken_bytes

    async def test_keeps_one_that_succeeds_in_between(self, bench: Bench) -> None:
        """A slow broker is no reason: any confirmation starts the time anew."""
        script: list[Answer] = ["never", None] * 10
        bench.answer = lambda n: script[n]

        for _ in range(10):
            with pytest.raises(SendUnknown):
                await bench.send(b"a", timeout_ms=30)
            await bench.send(b"b")

        assert [] == bench.endings.ended

    async def test_tells_others_when_it_is_replaced(self, bench: Bench) -> None:
        """Sends that wait on a producer that is replaced end as unknown long before their time."""
        bench.answer = lambda _: "never"
        waiting = asyncio.create_task(bench.send(b"a", timeout_ms=60_000))
        async with asyncio.timeout(5):
            await bench.made[0].has_sent.wait()

        bench.producer.replace("test")

        async with asyncio.timeout(5):
            with pytest.raises(SendUnknown):
                await waiting

    async def test_bounds_what_is_on_its_way(self, bench: Bench) -> None:
        """A full pipe makes publishers wait, under their deadline, and sends nothing of theirs."""
        bench.answer = lambda _: "never"
        for _ in range(2):
            with pytest.raises(SendUnknown):
                await bench.send(b"x" * 4_500, timeout_ms=10)

        with pytest.raises(BusUnavailable):
            await bench.send(b"x" * 4_500, timeout_ms=10)

        assert 2 == len(bench.made[0].sent)

    async def test_gives_room_back_when_it_is_cut(self, bench: Bench) -> None:
        """A publisher that is cancelled leaves its record on its way and nothing else."""
        bench.answer = answers("never")
        sending = asyncio.create_task(bench.send(b"a", timeout_ms=60_000))
        async with asyncio.timeout(5):
            await bench.made[0].has_sent.wait()
        sending.cancel()
        await asyncio.wait({sending})
        bench.made[0].futures[0].set_exception(KafkaConnectionError())
        await asyncio.sleep(0)

        assert 0 == bench.taken_bytes


class TestRefusals:
    async def test_refuses_a_record_that_is_too_large(self, bench: Bench) -> None:
        """Nothing of the batch is sent; trying again would not help."""
        with pytest.raises(SendRefused) as caught:
            await bench.send(b"a", b"x" * 5_001)

        assert not caught.value.retriable
        assert [] == bench.made[0].sent

    @pytest.mark.parametrize(
        ("error", "fault"),
        [
            (MessageSizeTooLargeError(), SendRefused),
            (TopicAuthorizationFailedError("t.x.v1"), BusUnavailable),
        ],
    )
    async def test_tells_refusal_from_trouble(
        self, bench: Bench, error: Exception, fault: type[Exception]
    ) -> None:
        """Too large is for good, no permission may pass; the producer is good in both."""
        bench.answer = answers(error)

        with pytest.raises(fault):
            await bench.send(b"a")

        assert [] == bench.endings.ended

    @pytest.mark.parametrize(
        "error", [MessageSizeTooLargeError(), TopicAuthorizationFailedError("t.x.v1")]
    )
    async def test_begins_no_silence(self, error: Exception) -> None:
        """With nothing on its way an hour of rest is none: the next time-out is the first."""
        clock = FixedClock()
        bench = Bench(clock)
        await bench.producer.start()
        bench.answer = answers(error, "never")
        with pytest.raises((SendRefused, BusUnavailable)):
            await bench.send(b"a")

        clock.advance(3_600_000)
        with pytest.raises(SendUnknown):
            await bench.send(b"b", timeout_ms=10)

        assert [] == bench.endings.ended
        await bench.producer.stop()

    async def test_ends_no_silence_of_others(self) -> None:
        """While a record is on its way unconfirmed, a refusal is no success."""
        clock = FixedClock()
        bench = Bench(clock)
        await bench.producer.start()
        bench.answer = answers("never", MessageSizeTooLargeError(), "never")
        with pytest.raises(SendUnknown):
            await bench.send(b"a", timeout_ms=10)
        clock.advance(LIMITS.stuck_ms // 2)
        with pytest.raises(SendRefused):
            await bench.send(b"b")

        clock.advance(LIMITS.stuck_ms // 2)
        with pytest.raises(SendUnknown):
            await bench.send(b"c", timeout_ms=10)

        assert [bench.made[0]] == bench.endings.ended
        await bench.producer.stop()

    @pytest.mark.parametrize(
        "error", [MessageSizeTooLargeError(CARD), OutOfOrderSequenceNumber(CARD), "never"]
    )
    async def test_says_nothing_of_what_was_sent(
        self, bench: Bench, error: Exception | str
    ) -> None:
        """The text of a fault has counts and names, whatever aiokafka's has."""
        bench.answer = answers(error)

        with pytest.raises((SendRefused, SendUnknown)) as caught:
            await bench.send(CARD, timeout_ms=10)

        assert CARD.decode() not in str(caught.value)


class TestStart:
    async def test_says_that_nothing_was_sent(self) -> None:
        """Without a producer a send is no unknown: nobody has to fear that it arrives."""
        bench = Bench()
        bench.start_fault = KafkaConnectionError("no broker")

        with pytest.raises(BusUnavailable):
            await bench.producer.start()
        with pytest.raises(BusUnavailable):
            await bench.send(b"a")

        assert 0 == bench.taken_bytes
        assert bench.made == bench.endings.ended

    async def test_does_not_start_one_for_each_sender(self, bench: Bench) -> None:
        """While a start fails, senders hear of it without another attempt each."""
        bench.start_fault = KafkaConnectionError("no broker")
        bench.producer.replace("test")
        for _ in range(50):
            with pytest.raises(BusUnavailable):
                await bench.send(b"a")

        assert len(bench.made) <= 3

    async def test_refuses_after_its_end(self, bench: Bench) -> None:
        """A bus that was stopped starts nothing any more."""
        await bench.producer.stop()

        with pytest.raises(BusUnavailable):
            await bench.send(b"a")

        assert 1 == len(bench.made)
