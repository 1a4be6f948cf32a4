"""Terminals as edc.md wants them: they save before they send, repeat, reverse, and believe."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from libs.iso8583 import Frame
from loadtests.frames import TPDU, TPDU_AT, decode_frame, encode_frame
from tests.simulation.faults import Faults, Kind
from tests.simulation.loop import LIFE, OUTSIDE
from tests.simulation.processes import ANSWER_MS, ZONE, Process, Surroundings

PATIENCE_S: Final = 10.0
AGAIN_S: Final = 12.0
APPROVED: Final = "00"
TOO_LATE: Final = "68"
OTHER_CONTENT: Final = "94"

Fields = dict[int, str]
Watch = Callable[["Operation", str, str, Fields], None]
"""Hears each answer as it leaves an edge: operation, edge, message type, fields."""


class Belief(StrEnum):
    """What a terminal thinks of a purchase."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    REVERSING = "reversing"
    REVERSED = "reversed"


@dataclass(slots=True, kw_only=True)
class Operation:
    """One purchase in a terminal's journal; it survives a power cut."""

    terminal: str
    outlet: str
    stan: int
    card: str
    amount_minor: int
    date: str  # DE13, MMDD.
    began_s: float = 0.0
    belief: Belief = Belief.OPEN
    code: str = ""  # The first verdict that was heard.
    rrn: str = ""
    heard_s: float = 0.0  # When.
    complaints: list[str] = field(default_factory=list)

    @property
    def fields(self) -> Fields:
        """What the purchase and its repeats carry."""
        return {
            2: self.card, 3: "000000", 4: f"{self.amount_minor:012d}", 11: f"{self.stan:06d}",
            12: "120000", 13: self.date, 22: "021", 24: "003", 41: self.terminal, 42: self.outlet,
        }  # fmt: skip

    @property
    def reversal(self) -> Fields:
        """What takes it back."""
        fields = self.fields
        del fields[12], fields[22]
        return fields

    def hear(self, answer: Fields, now_s: float) -> None:
        """Take a purchase's verdict; complain of one that is not what was heard before."""
        code, rrn = answer[39], answer.get(37, "")
        if self.belief is Belief.OPEN:
            self.code, self.rrn, self.heard_s = code, rrn, now_s
            self.belief = Belief.APPROVED if code == APPROVED else Belief.REFUSED
        elif self.belief is Belief.REVERSED:
            if self.code == APPROVED and code != TOO_LATE:
                self.complaints.append(f"repeat after its reversal heard {code}")
        elif (code, rrn) != (self.code, self.rrn):
            self.complaints.append(f"repeat heard {code} {rrn} after {self.code} {self.rrn}")


class Call:
    """One message on a line of its own; the answer comes back by it, or not."""

    def __init__(self, network: "Network", operation: Operation, edge: str) -> None:
        self._network = network
        self._operation = operation
        self._edge = edge
        self.came_s: float | None = None  # When the edge had it first.
        self.answer: asyncio.Future[Fields] = asyncio.get_running_loop().create_future()
        self.is_open = True

    def send(self, data: bytes) -> None:
        """Take frames out of the edge: two where the message came twice."""
        while data:
            end = TPDU_AT + int.from_bytes(data[:TPDU_AT], "big")
            mti, fields = decode_frame(data[:end])
            self._network.left(self._operation, self._edge, mti, fields)
            self._network.look_at_age(self)
            self._network.carry(self._arrive, fields)
            data = data[end:]

    def owe(self) -> None:
        """Nothing to keep open."""

    def settle(self) -> None:
        """Nothing to close."""

    def slow_down(self) -> None:
        """Nothing to read later."""

    def _arrive(self, fields: Fields) -> None:
        if self.is_open and not self.answer.done():
            self.answer.set_result(fields)


class Network:
    """The lines between terminals and bridges: slow, lossy, and sometimes twice."""

    def __init__(self, around: Surroundings, bridges: Sequence[Process], watch: Watch) -> None:
        self._around = around
        self._faults: Faults = around.faults
        self._bridges = bridges
        self.left = watch
        self.late: list[str] = []

    def look_at_age(self, call: Call) -> None:
        """See that an answer leaves the edge within its time, however the edge was held up."""
        assert call.came_s is not None
        age_s = self._around.loop.time() - call.came_s
        if age_s > ANSWER_MS / 1_000:
            self.late.append(f"an answer left the edge after {age_s:.1f} s")

    def carry(self, deliver: Callable[..., None], *args: object) -> None:
        """Bring something to the other end, late, twice or not at all."""
        if self._faults.happens(Kind.LOSS):
            return
        seconds = self._faults.between(0.001, 0.3)
        if self._faults.happens(Kind.DELAY):
            seconds = self._faults.between(1, 15)
        self._faults.later(seconds, deliver, *args)
        if self._faults.happens(Kind.DUPLICATE):
            self._faults.later(seconds + self._faults.between(0, 12), deliver, *args)

    def call(self, operation: Operation, mti: str, fields: Fields) -> Call:
        """Send a message to some bridge."""
        bridge = self._faults.random.choice(self._bridges)
        call = Call(self, operation, bridge.name)
        frame = encode_frame(mti, fields)
        at = TPDU_AT + len(TPDU)
        self.carry(self._enter, bridge, call, Frame(frame[TPDU_AT:at], frame[at:]))
        return call

    def _enter(self, bridge: Process, call: Call, frame: Frame) -> None:
        """Come in by a bridge's door, in the bridge's own life."""

        def receive() -> None:
            if bridge.door is None:
                return
            call.came_s = self._around.loop.time()
            if answer := bridge.door(call, frame):
                call.send(answer)

        self._around.loop.call_soon(receive, context=bridge.context.copy())


class Terminal:
    """One device with its journal."""

    def __init__(
        self, around: Surroundings, network: Network, number: int, cards: Sequence[str]
    ) -> None:
        self._around = around
        self._faults = around.faults
        self._network = network
        self._cards = cards
        self.code, self.outlet = f"LSK{number:05d}", f"BUMA{number:011d}"
        self.journal: list[Operation] = []
        self._task: asyncio.Task[None] | None = None

    def start(self, purchases: int) -> None:
        """Make so many purchases and bring each to its end."""
        token = LIFE.set(OUTSIDE)
        try:
            self._task = self._around.loop.create_task(self._run(purchases))
        finally:
            LIFE.reset(token)

    @property
    def is_done(self) -> bool:
        """Whether everything was brought to its end."""
        return self._task is not None and self._task.done()

    async def _run(self, purchases: int) -> None:
        while len(self.journal) < purchases:
            await asyncio.sleep(self._faults.between(0, 6))
            self.journal.append(self._new())
            await self._bring_to_end(self.journal[-1])

    def _new(self) -> Operation:
        now = datetime.fromtimestamp(self._around.clock.now_ms() / 1_000, UTC).astimezone(ZONE)
        return Operation(
            terminal=self.code,
            outlet=self.outlet,
            stan=len(self.journal) + 1,
            card=self._faults.random.choice(self._cards),
            amount_minor=self._faults.random.choice((1_00, 20_00, 35_00, 90_00)),
            date=f"{now:%m%d}",
            began_s=self._around.loop.time(),
        )

    async def _bring_to_end(self, operation: Operation) -> None:
        if not self._faults.happens(Kind.POWER):
            await self._purchase(operation)
        else:  # It went out behind the power cut's back; the journal says nothing came.
            self._network.call(operation, "0200", operation.fields)
            await asyncio.sleep(self._faults.between(0, 20))
        draw = self._faults.random.random()
        if operation.belief is Belief.OPEN:
            await self._reverse(operation)
        elif draw < 0.25:
            await self._repeat(operation)
        elif draw < 0.45 and operation.belief is Belief.APPROVED:
            await self._reverse(operation)
        if draw > 0.8:
            await self._repeat(operation)
        if self._faults.happens(Kind.MISTAKE):
            await self._use_number_again(operation)

    async def _purchase(self, operation: Operation) -> None:
        answer = await self._ask(operation, "0200", operation.fields)
        if answer is None and self._faults.random.random() < 0.5:
            answer = await self._ask(operation, "0201", operation.fields)
        if answer is not None:
            operation.hear(answer, self._around.loop.time())

    async def _repeat(self, operation: Operation) -> None:
        answer = await self._ask(operation, "0201", operation.fields)
        if answer is not None:
            operation.hear(answer, self._around.loop.time())

    async def _use_number_again(self, operation: Operation) -> None:
        """Ask for more money under the same number: that is refused and moves nothing."""
        fields = operation.fields
        fields[4] = f"{operation.amount_minor + 1_00:012d}"
        answer = await self._ask(operation, "0200", fields)
        if answer is not None and answer[39] not in {OTHER_CONTENT, TOO_LATE}:
            operation.complaints.append(f"its number with another amount heard {answer[39]}")

    async def _reverse(self, operation: Operation) -> None:
        """Reverse until it is answered, however long that takes."""
        operation.belief = Belief.REVERSING
        mti = "0400"
        while (answer := await self._ask(operation, mti, operation.reversal)) is None:
            await asyncio.sleep(AGAIN_S)
            mti = "0401"
        if answer[39] != APPROVED:
            operation.complaints.append(f"a reversal heard {answer[39]}")
        operation.belief = Belief.REVERSED

    async def _ask(self, operation: Operation, mti: str, fields: Fields) -> Fields | None:
        call = self._network.call(operation, mti, fields)
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await call.answer
        except TimeoutError:
            return None
        finally:
            call.is_open = False
