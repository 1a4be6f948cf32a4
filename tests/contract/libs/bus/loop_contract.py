"""What the batch loop guarantees on every bus: order, redelivery, poison, stopping."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar

import pytest
from structlog.testing import capture_logs

from libs.bus import (
    Batch,
    Bus,
    Handle,
    LoopSettings,
    LoopStopped,
    Outgoing,
    PartitionStopped,
    Poison,
    Publisher,
    Reader,
    Record,
    SendUnknown,
    TooManyDead,
    TopicSettings,
    dead_letters,
    run_batches,
)
from libs.clock import SystemClock
from libs.contracts import topics as names
from libs.contracts.envelope import first_envelope, read_envelope
from libs.contracts.lesko.v1.dead_pb2 import DeadRecord
from libs.outcome import Fault
from tests.contract.libs.bus.harness import (
    SEND_MS,
    Harness,
    a_topic,
    nothing_comes,
    publish_texts,
    take_records,
    take_texts,
)

SETTINGS = LoopSettings(
    records_max=100, wait_ms=100, backoff_first_ms=1, backoff_last_ms=4, stop_ms=5_000
)
CARD = "4000001234567899"


class Crash(BaseException):
    """The process ends here; nobody catches it."""


class StoreAway(Fault):
    """A fault that passes."""

    retriable: ClassVar[bool] = True


class Desk:
    """A topic of questions, one of answers, their dead letters, and loops between them."""

    def __init__(self, bus: Bus, questions: str, answers: str) -> None:
        self.bus = bus
        self.questions = questions
        self.answers = answers
        self.problems: list[str | None] = []
        self.handled: list[str] = []

    async def answer(self, batch: Batch) -> Sequence[Outgoing]:
        """Answer each question with its own text on its own partition; ``poison`` raises."""
        records = [record for part in batch.values() for record in part]
        self.handled += [record.value.decode() for record in records]
        for record in records:
            if record.value.startswith(b"poison"):
                raise ValueError(f"cannot read {CARD} in {record!r}")
        return [self.echo(record) for record in records]

    def echo(self, record: Record) -> Outgoing:
        """Return the answer to one question."""
        return Outgoing(self.answers, record.partition, record.key, record.value, record.envelope)

    @asynccontextmanager
    async def loop(
        self,
        handle: Handle,
        *,
        poison: Poison | None = None,
        bus: Publisher | None = None,
        settings: LoopSettings = SETTINGS,
    ) -> AsyncIterator["asyncio.Task[None]"]:
        """Run a loop for the block, stop it as main does, close its reader."""
        reader = await self.bus.open_group_reader(self.questions, group="desk")
        running = asyncio.create_task(
            run_batches(
                reader,
                bus or self.bus,
                handle,
                poison=poison or dead_letters(SystemClock()),
                report=self.problems.append,
                settings=settings,
            )
        )
        try:
            yield running
        finally:
            running.cancel()
            await asyncio.wait([running])
            if not running.cancelled():
                running.exception()  # The test has looked where it matters.
            await reader.close()

    async def read_answers(self) -> Reader:
        """Open a reader of all answers from the first one on."""
        partitions = (await self.bus.topic(self.answers)).partitions
        return await self.bus.open_reader(self.answers, starts=dict.fromkeys(range(partitions)))

    async def read_dead(self) -> Reader:
        """Open a reader of all dead letters from the first one on."""
        topic = names.dead_letters(self.questions)
        partitions = (await self.bus.topic(topic)).partitions
        return await self.bus.open_reader(topic, starts=dict.fromkeys(range(partitions)))


class BadSender:
    """A bus whose first sends go wrong after, or instead of, being made."""

    def __init__(self, bus: Bus, faults: Sequence[BaseException], *, sends_first: bool) -> None:
        self._bus = bus
        self._faults = list(faults)
        self._sends_first = sends_first

    async def publish(self, records: Sequence[Outgoing], *, timeout_ms: int) -> None:
        """Fail as long as there are faults left, then send."""
        if self._faults:
            if self._sends_first:
                await self._bus.publish(records, timeout_ms=timeout_ms)
            raise self._faults.pop(0)
        await self._bus.publish(records, timeout_ms=timeout_ms)


class LoopContract:
    """Tests of run_batches on a real bus; a subclass gives ``make_harness``."""

    def make_harness(self) -> Harness:
        """Return a fresh harness."""
        raise NotImplementedError

    @pytest.fixture
    async def desk(self) -> AsyncIterator[Desk]:
        """Give each test a bus of its own and close it."""
        harness = self.make_harness()
        questions, answers = a_topic(), a_topic()
        two = TopicSettings(partitions=2)
        topics = {questions: two, answers: two, names.dead_letters(questions): two}
        yield Desk(await harness.open(topics), questions, answers)
        await harness.close()

    async def test_answers_in_order_and_acknowledges(self, desk: Desk) -> None:
        """All questions are answered in order, and none comes again to the next loop."""
        await publish_texts(desk.bus, desk.questions, 0, [f"a{n}" for n in range(5)])
        await publish_texts(desk.bus, desk.questions, 1, [f"b{n}" for n in range(5)])
        answers = await desk.read_answers()

        async with desk.loop(desk.answer):
            texts = await take_texts(answers, 10)
        again = await desk.bus.open_group_reader(desk.questions, group="desk")

        assert [f"{letter}{n}" for letter in "ab" for n in range(5)] == texts
        assert await nothing_comes(again)
        assert [None] == desk.problems
        await again.close()
        await answers.close()

    @pytest.mark.parametrize("step", ["before handling", "before sending", "before acknowledging"])
    async def test_only_redelivers_after_a_crash(self, desk: Desk, step: str) -> None:
        """Whatever step a crash hits, the whole batch is handled again and nothing is lost."""
        texts = [f"a{n}" for n in range(4)]
        await publish_texts(desk.bus, desk.questions, 0, texts)
        answers = await desk.read_answers()

        async def crash(_: Batch) -> Sequence[Outgoing]:
            raise Crash

        handle = crash if step == "before handling" else desk.answer
        bus = BadSender(desk.bus, [Crash()], sends_first=step == "before acknowledging")
        async with desk.loop(handle, bus=bus) as running:
            with pytest.raises(Crash):
                await asyncio.wait_for(running, 10)
        seen = len(desk.handled)
        async with desk.loop(desk.answer):
            sent_twice = step == "before acknowledging"
            answered = await take_texts(answers, 8 if sent_twice else 4)

        assert (0 if step == "before handling" else 4) == seen
        assert texts == desk.handled[seen:]
        assert texts * (2 if sent_twice else 1) == answered
        assert await nothing_comes(answers)
        await answers.close()

    async def test_finds_exactly_the_poison(self, desk: Desk) -> None:
        """Halving sets the poison records aside; all others are answered once, in order."""
        poison = {3, 4, 17, 39}
        for partition in (0, 1):
            texts = [f"{'poison' if n in poison else 'good'} {partition} {n}" for n in range(40)]
            await publish_texts(desk.bus, desk.questions, partition, texts)
        answers, dead = await desk.read_answers(), await desk.read_dead()

        async with desk.loop(desk.answer):
            answered = await take_texts(answers, 72)
            buried = await take_records(dead, 8)
            assert await nothing_comes(answers)

        good = [f"good {p} {n}" for p in (0, 1) for n in range(40) if n not in poison]
        assert good == answered
        for partition in (0, 1):
            offsets = [DeadRecord.FromString(r.value).offset for r in buried[partition]]
            assert sorted(poison) == offsets
        await answers.close()
        await dead.close()

    async def test_writes_a_dead_letter_without_the_fault_s_text(self, desk: Desk) -> None:
        """A dead letter is the record, its place and a class name; the log says no more either."""
        envelope = first_envelope(
            schema="lesko.v1.X", answer_topic=desk.answers, answer_partition=1, deadline_ms=5
        )
        record = Outgoing(desk.questions, 1, b"k", b"poison", envelope.SerializeToString())
        await desk.bus.publish([record], timeout_ms=SEND_MS)
        dead = await desk.read_dead()

        with capture_logs() as lines:
            async with desk.loop(desk.answer):
                ((buried,),) = (await take_records(dead, 1)).values()

        letter = DeadRecord.FromString(buried.value)
        assert (1, b"k") == (buried.partition, buried.key)
        assert (desk.questions, 1, 0) == (letter.topic, letter.partition, letter.offset)
        assert (b"k", b"poison", record.envelope) == (letter.key, letter.value, letter.envelope)
        assert letter.fault == "ValueError"
        assert CARD.encode() not in buried.value + buried.envelope
        header = read_envelope(buried.envelope)
        assert envelope.correlation_id == header.correlation_id
        assert envelope.message_id == header.causation_id
        assert (names.DEAD_RECORD, "", 0) == (
            header.schema,
            header.answer_topic,
            header.deadline_ms,
        )
        assert ["record_dead"] == [line["event"] for line in lines]
        assert CARD not in str(lines)
        await dead.close()

    async def test_stops_rather_than_bury_a_topic(self, desk: Desk) -> None:
        """Too many dead records in a row end the loop; the rest is not touched."""
        await publish_texts(desk.bus, desk.questions, 0, [f"poison {n}" for n in range(50)])
        dead = await desk.read_dead()
        settings = LoopSettings(wait_ms=100, dead_in_a_row_max=3)

        async with desk.loop(desk.answer, settings=settings) as running:
            with pytest.raises(TooManyDead):
                await asyncio.wait_for(running, 10)
        again = await desk.bus.open_group_reader(desk.questions, group="desk")

        assert 3 == len((await take_records(dead, 3))[0])
        assert await nothing_comes(dead)
        assert 3 == (await take_records(again, 1))[0][0].offset
        assert desk.problems[-1] is not None
        await again.close()
        await dead.close()

    async def test_stops_when_too_large_a_share_is_dead(self, desk: Desk) -> None:
        """Dead records between good ones end the loop too, once they are too many of a window."""
        texts = [f"{'poison' if n % 2 else 'good'} {n}" for n in range(40)]
        await publish_texts(desk.bus, desk.questions, 0, texts)
        dead = await desk.read_dead()
        settings = LoopSettings(wait_ms=100, dead_window=100, dead_in_window_max=5)

        async with desk.loop(desk.answer, settings=settings) as running:
            with pytest.raises(TooManyDead):
                await asyncio.wait_for(running, 10)

        assert 5 == len((await take_records(dead, 5))[0])
        assert await nothing_comes(dead)
        await dead.close()

    async def test_tries_the_same_batch_until_a_fault_has_passed(self, desk: Desk) -> None:
        """A retriable fault buries nothing and keeps the order; health hears of it and its end."""
        texts = [f"a{n}" for n in range(6)]
        await publish_texts(desk.bus, desk.questions, 0, texts)
        answers = await desk.read_answers()
        left = 3

        async def handle(batch: Batch) -> Sequence[Outgoing]:
            nonlocal left
            outgoing = await desk.answer(batch)
            if left:
                left -= 1
                raise StoreAway("for a while")
            return outgoing

        async with desk.loop(handle):
            answered = await take_texts(answers, 6)

        assert texts == answered
        assert texts * 4 == desk.handled
        assert [desk.problems[0], desk.problems[-1]] == [None, None]
        assert 3 == len([p for p in desk.problems if p is not None and "StoreAway" in p])
        await answers.close()

    async def test_sends_again_what_may_not_have_left(self, desk: Desk) -> None:
        """After an unknown send the batch is handled and sent again before it is acknowledged."""
        await publish_texts(desk.bus, desk.questions, 0, ["a"])
        answers = await desk.read_answers()
        bus = BadSender(desk.bus, [SendUnknown("late")], sends_first=False)

        async with desk.loop(desk.answer, bus=bus):
            answered = await take_texts(answers, 1)

        assert ["a"] == answered
        assert ["a", "a"] == desk.handled
        await answers.close()

    async def test_finishes_the_batch_in_hand(self, desk: Desk) -> None:
        """A loop that is cancelled answers and acknowledges what it works on, and then ends."""
        await publish_texts(desk.bus, desk.questions, 0, ["a", "b"])
        answers = await desk.read_answers()
        at_work, go_on = asyncio.Event(), asyncio.Event()

        async def handle(batch: Batch) -> Sequence[Outgoing]:
            at_work.set()
            await go_on.wait()
            return await desk.answer(batch)

        async with desk.loop(handle) as running:
            await asyncio.wait_for(at_work.wait(), 10)
            running.cancel()
            await asyncio.sleep(0.05)
            assert not running.done()
            go_on.set()
            await asyncio.wait([running], timeout=10)
            assert running.cancelled()
        again = await desk.bus.open_group_reader(desk.questions, group="desk")

        assert ["a", "b"] == await take_texts(answers, 2)
        assert await nothing_comes(again)
        await again.close()
        await answers.close()

    async def test_leaves_a_batch_that_will_not_end(self, desk: Desk) -> None:
        """Past the time limit a stop cuts the handler off, and the batch comes again."""
        await publish_texts(desk.bus, desk.questions, 0, ["a"])
        at_work = asyncio.Event()

        async def handle(_: Batch) -> Sequence[Outgoing]:
            at_work.set()
            await asyncio.Event().wait()
            return []

        async with desk.loop(handle, settings=LoopSettings(stop_ms=20)) as running:
            await asyncio.wait_for(at_work.wait(), 10)
            running.cancel()
            await asyncio.wait([running], timeout=10)
            assert running.cancelled()
        again = await desk.bus.open_group_reader(desk.questions, group="desk")

        assert ["a"] == await take_texts(again, 1)
        await again.close()

    async def test_lets_later_records_join_the_next_batch(self, desk: Desk) -> None:
        """What comes while a batch is handled is one batch afterwards, without any lingering."""
        await publish_texts(desk.bus, desk.questions, 0, ["first"])
        sizes: list[int] = []
        answers = await desk.read_answers()

        async def handle(batch: Batch) -> Sequence[Outgoing]:
            if not sizes:
                for n in range(10):
                    await publish_texts(desk.bus, desk.questions, 0, [str(n)])
                await asyncio.sleep(0.5)  # Long enough for any bus to have fetched them.
            sizes.append(sum(map(len, batch.values())))
            return await desk.answer(batch)

        async with desk.loop(handle):
            await take_texts(answers, 11)

        assert [1, 10] == sizes
        await answers.close()

    async def test_leaves_one_partition_alone(self, desk: Desk) -> None:
        """A partition stopped by its poison stands still and red; the other works."""
        await publish_texts(desk.bus, desk.questions, 0, ["a", "poison", "b"])
        answers, dead = await desk.read_answers(), await desk.read_dead()

        async def stop(record: Record, fault: str) -> Sequence[Outgoing]:
            raise PartitionStopped("a reversal is never given up")

        async with desk.loop(desk.answer, poison=stop):
            assert ["a"] == await take_texts(answers, 1)
            await publish_texts(desk.bus, desk.questions, 1, ["c", "d"])
            await publish_texts(desk.bus, desk.questions, 0, ["e"])
            assert ["c", "d"] == await take_texts(answers, 2)
            assert await nothing_comes(answers)
            assert await nothing_comes(dead)
            assert "before offset 1" in (desk.problems[-1] or "")
        again = await desk.bus.open_group_reader(desk.questions, group="desk")

        assert ["poison", "b", "e"] == await take_texts(again, 3)
        await again.close()
        await answers.close()
        await dead.close()

    async def test_stops_a_partition_that_a_handler_stops(self, desk: Desk) -> None:
        """PartitionStopped from a handler is halved to its record and asks no poison callback."""
        await publish_texts(desk.bus, desk.questions, 0, ["a", "stop", "b"])
        await publish_texts(desk.bus, desk.questions, 1, ["c"])
        answers, dead = await desk.read_answers(), await desk.read_dead()

        async def handle(batch: Batch) -> Sequence[Outgoing]:
            if any(r.value == b"stop" for records in batch.values() for r in records):
                raise PartitionStopped("not this one")
            return await desk.answer(batch)

        async with desk.loop(handle):
            assert ["a", "c"] == await take_texts(answers, 2)
            assert await nothing_comes(answers)
            assert await nothing_comes(dead)
        await answers.close()
        await dead.close()

    async def test_stops_a_partition_whose_dead_letter_cannot_be_written(self, desk: Desk) -> None:
        """When setting aside fails for good the record is not skipped."""
        await publish_texts(desk.bus, desk.questions, 0, ["poison", "a"])
        await publish_texts(desk.bus, desk.questions, 1, ["b"])
        answers = await desk.read_answers()

        async def fail(record: Record, fault: str) -> Sequence[Outgoing]:
            raise KeyError(fault)

        async with desk.loop(desk.answer, poison=fail):
            assert ["b"] == await take_texts(answers, 1)
            assert await nothing_comes(answers)
        again = await desk.bus.open_group_reader(desk.questions, group="desk")

        assert ["poison", "a"] == await take_texts(again, 2)
        await again.close()
        await answers.close()

    async def test_ends_at_once_when_told(self, desk: Desk) -> None:
        """LoopStopped from a handler ends the loop without halving and acknowledges nothing."""
        await publish_texts(desk.bus, desk.questions, 0, ["a", "b"])
        calls: list[Batch] = []

        async def handle(batch: Batch) -> Sequence[Outgoing]:
            calls.append(batch)
            raise LoopStopped("the lease is lost")

        async with desk.loop(handle) as running:
            with pytest.raises(LoopStopped):
                await asyncio.wait_for(running, 10)
        again = await desk.bus.open_group_reader(desk.questions, group="desk")

        assert 1 == len(calls)
        assert ["a", "b"] == await take_texts(again, 2)
        await again.close()
