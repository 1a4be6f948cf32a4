"""An edge without sockets and bus: fakes by hand around the real handlers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from libs.bus import Outgoing, Record
from libs.contracts.envelope import Envelope, read_envelope
from libs.contracts.lesko.v1.authorization_pb2 import AuthorizeRequested
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerAnswer
from libs.contracts.topics import BRIDGE_ANSWERS
from libs.fakes.clock import FixedClock
from libs.fakes.registry import a_terminal
from libs.iso8583 import Frame, Pan, load_dialect
from libs.outcome import Outcome
from libs.registry import Terminal
from libs.vault import TokenKey
from loadtests.frames import TPDU, TPDU_AT, decode_frame, encode_frame, pan_of
from services.iso_bridge.domain.message_rate import MessageRate
from services.iso_bridge.handlers.answer_requests import AnswerRequests
from services.iso_bridge.handlers.build_answers import AnswerBuilder
from services.iso_bridge.handlers.build_requests import RequestBuilder
from services.iso_bridge.handlers.pending import Pending
from services.iso_bridge.handlers.receive_messages import ReceiveMessages
from services.iso_bridge.handlers.reception import Reception
from services.iso_bridge.handlers.waiting import Waiting
from services.iso_bridge.ports import MoneyLine

EDC = Path("proto/iso8583/edc")
NOON_MS = 1_795_489_200_000  # 2026-11-24 12:00 in Jayapura.
PAN = pan_of(1)
TOKENS = TokenKey(b"k" * 32)

Fields = dict[int, str]

PURCHASE: Mapping[int, str] = {
    2: PAN, 3: "000000", 4: "000005000000", 11: "000001", 12: "120000", 13: "1124", 22: "021",
    24: "003", 41: "LSK00001", 42: "BUMA00000000001",
}  # fmt: skip
INQUIRY: Mapping[int, str] = {
    2: PAN, 3: "310000", 11: "000002", 24: "003", 41: "LSK00001", 42: "BUMA00000000001",
}  # fmt: skip
REVERSAL: Mapping[int, str] = {
    2: PAN, 3: "000000", 4: "000005000000", 11: "000001", 13: "1124", 24: "003",
    41: "LSK00001", 42: "BUMA00000000001",
}  # fmt: skip
NETWORK: Mapping[int, str] = {11: "000003", 41: "LSK00001", 70: "301"}


def changed(base: Mapping[int, str], **changes: str | None) -> Fields:
    """Return fields with some set (``de4="..."``) and some left out (``de4=None``)."""
    fields = dict(base)
    for name, value in changes.items():
        number = int(name.removeprefix("de"))
        if value is None:
            fields.pop(number, None)
        else:
            fields[number] = value
    return fields


@dataclass(slots=True, eq=False)
class FakeCaller:
    """A socket that remembers."""

    is_open: bool = True
    sent: list[bytes] = field(default_factory=list)
    owed: int = 0
    slowed: int = 0

    def send(self, data: bytes) -> None:
        """Remember what was written."""
        self.sent.append(data)

    def owe(self) -> None:
        """Count up."""
        self.owed += 1

    def settle(self) -> None:
        """Count down."""
        self.owed -= 1

    def slow_down(self) -> None:
        """Count."""
        self.slowed += 1


class FakeInbox:
    """Waits for nothing by itself; a test takes what it wants."""

    def __init__(self) -> None:
        self.waiting: dict[bytes, tuple[int, Waiting]] = {}

    def expect(self, correlation_id: bytes, deadline_ms: int, context: Waiting) -> None:
        """Remember."""
        self.waiting[correlation_id] = deadline_ms, context

    def forget(self, correlation_id: bytes) -> Waiting | None:
        """Forget."""
        found = self.waiting.pop(correlation_id, None)
        return found[1] if found else None


class FakeQueue:
    """A bus that never sends."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []
        self.on_unknown: list[Callable[[], None]] = []

    def __len__(self) -> int:
        return 0

    def put(self, record: Outgoing, on_unknown: Callable[[], None]) -> None:
        """Remember."""
        self.records.append(record)
        self.on_unknown.append(on_unknown)


@dataclass(slots=True)
class FakeTerminals:
    """Terminals by code."""

    by_code: dict[str, Terminal]
    current: bool = True

    def terminal(self, code: str) -> Terminal | None:
        """Look one up."""
        return self.by_code.get(code.rstrip(" "))

    def is_current(self, now_ms: int) -> bool:
        """Say what the test says."""
        return self.current


@dataclass(slots=True)
class FakeJournal:
    """Remembers everything."""

    lines: list[MoneyLine] = field(default_factory=list)
    counted: list[tuple[str, ...]] = field(default_factory=list)

    def read(self, operation: str) -> None:
        """Not of interest here."""

    def money(self, line: MoneyLine) -> None:
        """Remember."""
        self.lines.append(line)

    def network(self, action: str, de39: str) -> None:
        """Remember."""
        self.counted.append(("network", action, de39))

    def dropped(self, reason: str) -> None:
        """Remember."""
        self.counted.append(("dropped", reason))

    def silent(self, reason: str) -> None:
        """Remember."""
        self.counted.append(("silent", reason))

    def flooding(self, terminal: str) -> None:
        """Remember."""
        self.counted.append(("flooding", terminal))

    def closed(self, reason: str) -> None:
        """Remember."""
        self.counted.append(("closed", reason))

    def failed(self, what: str, fault: Exception) -> None:
        """Remember."""
        self.counted.append(("failed", what, type(fault).__name__))


class Edge:
    """The handlers of one edge, around which nothing is real."""

    def __init__(
        self,
        *,
        sign_on_required: bool = False,
        in_flight_max: int = 100,
        now_ms: int = NOON_MS,
        rate: MessageRate | None = None,
    ) -> None:
        self.clock = FixedClock(now_ms)
        self.inbox = FakeInbox()
        self.queue = FakeQueue()
        self.journal = FakeJournal()
        pilot = a_terminal(1)
        self.terminals = FakeTerminals(
            {
                "LSK00001": pilot,
                "KEYED001": pilot._replace(code="KEYED001", has_mac_key=True, may_omit_mac=False),
                "NOMAC001": pilot._replace(code="NOMAC001", may_omit_mac=False),
            }
        )
        self.pending = Pending(self.inbox, self.queue, in_flight_max=in_flight_max)
        self.desk = Reception(
            name="edc",
            dialect=load_dialect(EDC),
            zone=ZoneInfo("Asia/Jayapura"),
            answer_ms=8_000,
            sign_on_required=sign_on_required,
            rate=rate or MessageRate(per_second=500, burst=1_000),
        )
        builder = AnswerBuilder()
        self.receive = ReceiveMessages(
            pending=self.pending,
            requests=RequestBuilder(answer_partition=3, request_partitions=8),
            answers=builder,
            tokens=TOKENS,
            terminals=self.terminals,
            clock=self.clock,
            journal=self.journal,
        )
        self.answer = AnswerRequests(
            pending=self.pending, answers=builder, clock=self.clock, journal=self.journal
        )

    def feed(self, frame: bytes, caller: FakeCaller | None = None) -> bytes | None:
        """Hand a whole frame in."""
        at = TPDU_AT + len(TPDU)
        return self.receive(caller or FakeCaller(), self.desk, Frame(frame[TPDU_AT:at], frame[at:]))

    def ask(
        self, mti: str, fields: Mapping[int, str], caller: FakeCaller | None = None
    ) -> tuple[str, Fields] | None:
        """Return the edge's own answer; None for silence. A dropped message fails the test."""
        answer = self.feed(encode_frame(mti, fields), caller)
        assert answer is not None, self.journal.counted
        return decode_frame(answer) if answer else None

    def code(self, mti: str, fields: Mapping[int, str]) -> str | None:
        """Return DE39 of the edge's own answer."""
        answer = self.ask(mti, fields)
        return answer[1][39] if answer else None

    def requests(self) -> list[AuthorizeRequested]:
        """Return everything that went on."""
        return [AuthorizeRequested.FromString(record.value) for record in self.queue.records]

    def envelopes(self) -> list[Envelope]:
        """Return the envelopes of everything that went on."""
        return [read_envelope(record.envelope) for record in self.queue.records]

    def take(self, at: int, answer: LedgerAnswer | bytes) -> tuple[Waiting, Record]:
        """Return the ledger's answer to the request sent as number ``at``, out of the inbox."""
        correlation_id = self.envelopes()[at].correlation_id
        waiting = self.inbox.forget(correlation_id)
        assert waiting is not None
        value = answer if isinstance(answer, bytes) else answer.SerializeToString()
        return waiting, Record(BRIDGE_ANSWERS, 3, at, b"", value, b"", 0)

    def reply(self, at: int, answer: LedgerAnswer | bytes) -> None:
        """Let the ledger answer the request sent as number ``at``."""
        self.answer([self.take(at, answer)])


def approved(**more: object) -> LedgerAnswer:
    """Return an approval with numbers of the ledger's."""
    answer = LedgerAnswer(
        outcome=Outcome.APPROVED.number, rrn="000000000123", approval_code="000123"
    )
    answer.MergeFrom(LedgerAnswer(**more))  # type: ignore[arg-type]  # -- named by the test
    return answer


def token_of(pan: str) -> bytes:
    """Return a card's token under the test's key."""
    return TOKENS.token(Pan(pan))
