"""Answers: the first one closes its command; whoever waits for a question gets his own."""

import asyncio
from collections.abc import Sequence

import pytest

from libs.bus import MemoryBus, Outgoing, Record, TopicSettings
from libs.contracts.envelope import first_envelope
from libs.contracts.lesko.v1.card_pb2 import CARD_RESULT_DONE, CardAnswer
from libs.contracts.topics import ADMIN_ANSWERS, CARD_ANSWER, CARD_COMMAND, LEDGER_ANSWER, REQUESTS
from libs.fakes.clock import FixedClock
from libs.fakes.operators import a_caller
from libs.fakes.outbox import MemoryOutbox
from libs.pg import StoreUnavailable
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Role
from services.admin.handlers.await_answers import AwaitAnswers
from services.admin.handlers.read_commands import FileProgress, ReadCommands
from services.admin.handlers.settle_commands import SettleCommands
from services.admin.ports import OpenCommand

ID = b"c" * 16
DONE = CardAnswer(command_id=ID, result=CARD_RESULT_DONE, created=3, known=1).SerializeToString()
MAKER = a_caller(Role.OPERATOR, operator=1)


class Bench:
    """One open command, who settles it and who reads it."""

    def __init__(self) -> None:
        self.rows = MemoryOutbox()
        self.rows.add(OpenCommand(ID, REQUESTS, 0, b"", CARD_COMMAND, b""), entity="card-file/a/1",
                      action="card.import")  # fmt: skip
        self.awaited = AwaitAnswers()
        self.nudges = 0
        self.settled: list[Sequence[bytes]] = []
        self.read = ReadCommands(self.rows, FixedClock(), self._nudge)
        self.settle = SettleCommands(self.rows, self.awaited, self._settled)

    def _nudge(self) -> None:
        self.nudges += 1

    def _settled(self, commands: Sequence[bytes]) -> None:
        self.settled.append(commands)
        self.read.settled(commands)


def an_answer(value: bytes = DONE, *, to: bytes = ID, schema: str = CARD_ANSWER) -> Record:
    """An answer as it lies on its topic."""
    envelope = first_envelope(schema=schema, answer_topic="", answer_partition=0, deadline_ms=0)
    envelope.correlation_id = to
    return Record(ADMIN_ANSWERS, 0, 0, to, value, envelope.SerializeToString(), 0)


class TestSettle:
    async def test_closes_once(self) -> None:
        """The first answer stays, whatever comes again or says otherwise."""
        bench = Bench()
        closed = [
            await bench.settle([an_answer(), an_answer()]),
            await bench.settle([an_answer(b"other")]),
        ]

        assert ([1, 0], [[ID]]) == (closed, bench.settled)
        found = await bench.rows.find(ID)
        assert found is not None
        assert DONE == found.answer

    @pytest.mark.parametrize(
        "record",
        [
            an_answer(to=b"x" * 16),
            an_answer(schema=LEDGER_ANSWER),
            an_answer(schema="lesko.v1.Other"),
            an_answer()._replace(envelope=b"\xff\xff"),
        ],
    )
    async def test_passes_over_what_answers_nothing(self, record: Record) -> None:
        """Another id, an answer of another service, and what is none at all."""
        bench = Bench()

        assert 0 == await bench.settle([record])
        found = await bench.rows.find(ID)
        assert found is not None
        assert found.answer is None

    async def test_gives_a_question_its_answer(self) -> None:
        """It closes nothing: no command of ours stands behind it."""
        bench = Bench()
        waiting = bench.awaited.expect(b"q" * 16)

        assert 0 == await bench.settle([an_answer(b"told", to=b"q" * 16)])
        assert b"told" == await waiting

    async def test_goes_on_after_trouble(self) -> None:
        """An answer that came while the database was away comes again, and then it closes."""
        bench = Bench()
        bus = MemoryBus({ADMIN_ANSWERS: TopicSettings(partitions=1)}, FixedClock())
        await bus.start()
        told: list[str | None] = []
        bench.rows.trouble = StoreUnavailable("away")
        task = asyncio.create_task(bench.settle.run(bus, instance=0, report=told.append))
        record = an_answer()
        again = Outgoing(ADMIN_ANSWERS, 0, record.key, record.value, record.envelope)
        async with asyncio.timeout(10):
            while not bench.settled:
                await bus.publish([again], timeout_ms=100)
                await asyncio.sleep(0.01)
                if any(told):
                    bench.rows.trouble = None
        task.cancel()

        assert [None, "answers cannot be read: away", None] == told


class TestRead:
    async def test_waits_for_the_answer(self) -> None:
        """Whoever waits is woken by it, and the sender is told that somebody waits."""
        bench = Bench()
        reading = asyncio.create_task(bench.read(MAKER, ID, wait_ms=10_000))
        await asyncio.sleep(0)
        await bench.settle([an_answer()])
        async with asyncio.timeout(5):
            found = await reading

        assert 1 == bench.nudges
        assert not isinstance(found, Refused)
        assert (True, {"result": "done", "card": None, "created": 3, "known": 1}) == (
            found["is_closed"],
            found["answer"],
        )

    async def test_tells_of_an_open_one(self) -> None:
        """Without waiting it is what it is."""
        found = await Bench().read(MAKER, ID)

        assert not isinstance(found, Refused)
        assert (False, None, "card.import") == (
            found["is_closed"],
            found["answer"],
            found["action"],
        )

    async def test_is_for_those_who_may_see_it(self) -> None:
        """An auditor sees no cards; an unknown id is nobody's."""
        bench = Bench()
        stranger = a_caller(Role.AUDITOR, operator=9)

        assert Refused(Refusal.NOT_YOUR_ROLE) == await bench.read(stranger, ID)
        assert Refused(Refusal.NOT_YOUR_ROLE) == await bench.read.of_file(stranger, "card-file/a")
        assert Refused(Refusal.UNKNOWN) == await bench.read(MAKER, bytes(16))
        assert not isinstance(await bench.read(a_caller(Role.APPROVER, operator=8), ID), Refused)

    async def test_adds_up_a_file(self) -> None:
        """How many of its commands are closed and what they made."""
        bench = Bench()
        bench.rows.add(
            OpenCommand(b"d" * 16, REQUESTS, 0, b"", CARD_COMMAND, b""), entity="card-file/a/2"
        )
        bench.rows.add(
            OpenCommand(b"e" * 16, REQUESTS, 0, b"", CARD_COMMAND, b""), entity="card-file/a/3"
        )
        await bench.settle([an_answer(), an_answer(b"", to=b"d" * 16)])

        assert FileProgress(3, 2, 3, 1, 1) == await bench.read.of_file(MAKER, "card-file/a")
