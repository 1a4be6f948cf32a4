"""Answers meet what was remembered of their questions, in time and once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from libs.bus import Inbox, MemoryBus, NoAnswer, Outgoing, Question, TopicSettings, ask
from libs.clock import SystemClock
from libs.contracts.envelope import Envelope, next_envelope, read_envelope
from libs.fakes.clock import FixedClock

QUESTIONS = "a.questions.v1"
ANSWERS = "a.answers.v1"


@pytest.fixture
async def bus() -> AsyncIterator[MemoryBus]:
    topics = {QUESTIONS: TopicSettings(partitions=1), ANSWERS: TopicSettings(partitions=2)}
    bus = MemoryBus(topics, SystemClock())
    await bus.start()
    yield bus
    await bus.stop()


async def answer(bus: MemoryBus, *correlation_ids: bytes) -> None:
    records = [
        Outgoing(ANSWERS, 1, b"", each, Envelope(correlation_id=each).SerializeToString())
        for each in correlation_ids
    ]
    await bus.publish(records, timeout_ms=1_000)


class TestInbox:
    async def test_gives_each_answer_its_context(self, bus: MemoryBus) -> None:
        """Answers come in their order, with what was remembered, and are waited for no more."""
        inbox: Inbox[str] = Inbox(await bus.open_tail_reader(ANSWERS, partition=1), FixedClock())
        for each in (b"1", b"2", b"3"):
            inbox.expect(each, 100, f"socket {each.decode()}")

        await answer(bus, b"3", b"1")
        answers = await inbox.take()

        assert [("socket 3", b"3"), ("socket 1", b"1")] == [(c, r.value) for c, r in answers]
        assert 1 == len(inbox)

    async def test_counts_answers_nobody_waits_for(self, bus: MemoryBus) -> None:
        """A second answer and one that was never asked for are late; a torn one is malformed."""
        inbox: Inbox[str] = Inbox(await bus.open_tail_reader(ANSWERS, partition=1), FixedClock())
        inbox.expect(b"1", 100, "socket")

        await answer(bus, b"1", b"1", b"?")
        await bus.publish([Outgoing(ANSWERS, 1, b"", b"", b"\xff")], timeout_ms=1_000)
        answers = await inbox.take()

        assert 1 == len(answers)
        assert (2, 1) == (inbox.late, inbox.malformed)

    async def test_takes_an_answer_as_late_from_its_deadline_on(self, bus: MemoryBus) -> None:
        """One millisecond before the deadline is in time, the deadline itself is not."""
        clock = FixedClock()
        inbox: Inbox[str] = Inbox(await bus.open_tail_reader(ANSWERS, partition=1), clock)
        inbox.expect(b"1", 100, "early")
        inbox.expect(b"2", 99, "late")

        clock.advance(99)
        await answer(bus, b"1", b"2")
        answers = await inbox.take()

        assert ["early"] == [context for context, _ in answers]
        assert 1 == inbox.late

    async def test_ends_empty_without_answers(self, bus: MemoryBus) -> None:
        """A take comes back after its wait, so that its caller can sweep."""
        inbox: Inbox[str] = Inbox(await bus.open_tail_reader(ANSWERS, partition=1), FixedClock())

        assert [] == await inbox.take(wait_ms=1)

    async def test_sweeps_what_has_expired(self, bus: MemoryBus) -> None:
        """Expired questions come back once, oldest first, and their answers are late."""
        clock = FixedClock()
        inbox: Inbox[str] = Inbox(await bus.open_tail_reader(ANSWERS, partition=1), clock)
        for name, deadline_ms in (("a", 10), ("b", 20), ("c", 30)):
            inbox.expect(name.encode(), deadline_ms, name)

        clock.advance(20)

        assert ["a", "b"] == inbox.sweep()
        assert [] == inbox.sweep()
        await answer(bus, b"a")
        assert [] == await inbox.take()
        assert (1, 1) == (inbox.late, len(inbox))

    async def test_forgets_a_question_that_could_not_be_sent(self, bus: MemoryBus) -> None:
        """What was remembered comes back; a second time there is nothing."""
        inbox: Inbox[str] = Inbox(await bus.open_tail_reader(ANSWERS, partition=1), FixedClock())
        inbox.expect(b"1", 10, "socket")

        assert "socket" == inbox.forget(b"1")
        assert inbox.forget(b"1") is None


class TestAsk:
    async def test_returns_the_answer(self, bus: MemoryBus) -> None:
        """The question says where its answer goes, and that answer is returned, no other."""
        reader = await bus.open_group_reader(QUESTIONS, group="g")

        async def reply() -> None:
            batch = await reader.take(wait_ms=5_000, records_max=1)
            asked = read_envelope(batch[0][0].envelope)
            assert (ANSWERS, 1, "lesko.v1.X") == (
                asked.answer_topic,
                asked.answer_partition,
                asked.schema,
            )
            await answer(bus, b"somebody else's")
            back = next_envelope(asked, schema="lesko.v1.Y").SerializeToString()
            await bus.publish([Outgoing(ANSWERS, 1, b"", b"yes", back)], timeout_ms=1_000)

        question = Question(QUESTIONS, 0, b"k", b"v", "lesko.v1.X")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(reply())
            record = await ask(
                bus,
                SystemClock(),
                question,
                answer_topic=ANSWERS,
                answer_partition=1,
                timeout_ms=5_000,
            )

        assert b"yes" == record.value

    async def test_says_when_nobody_answers(self, bus: MemoryBus) -> None:
        """Silence ends in NoAnswer after the time that was given."""
        question = Question(QUESTIONS, 0, b"k", b"v", "lesko.v1.X")

        with pytest.raises(NoAnswer, match=r"lesko\.v1\.X"):
            await ask(
                bus,
                SystemClock(),
                question,
                answer_topic=ANSWERS,
                answer_partition=1,
                timeout_ms=30,
            )
