"""Step 1 of the answers: every line of edc.md that the edge decides by itself."""

from collections.abc import Mapping

import pytest

from libs.clock import day_of
from libs.contracts.keys import business_key
from libs.contracts.lesko.v1.authorization_pb2 import (
    OPERATION_INQUIRY,
    OPERATION_PURCHASE,
    OPERATION_REVERSAL,
    GoodsLine,
)
from libs.outcome import Outcome
from loadtests.frames import TPDU, TPDU_AT, TPDU_BACK, decode_frame, encode_frame, pan_of
from services.iso_bridge.domain.message_rate import MessageRate
from tests.unit.services.iso_bridge.edge import (
    INQUIRY,
    NETWORK,
    NOON_MS,
    PAN,
    PURCHASE,
    REVERSAL,
    Edge,
    FakeCaller,
    changed,
    token_of,
)

DAY = 20_781  # 2026-11-24.
DAY_MS = 86_400_000


def without(base: Mapping[int, str], number: int) -> dict[int, str]:
    """Return a message without one field."""
    return changed(base, **{f"de{number}": None})


class TestForm:
    @pytest.mark.parametrize("number", [2, 3, 4, 12, 13, 22, 24, 41, 42])
    def test_refuses_a_purchase_without_a_mandatory_field(self, number: int) -> None:
        """Each M of the purchase column that is missing is 30, and nothing goes on."""
        edge = Edge()

        assert edge.code("0200", without(PURCHASE, number)) == "30"
        assert edge.queue.records == []

    @pytest.mark.parametrize("number", [2, 3, 24, 41, 42])
    def test_refuses_an_inquiry_without_a_mandatory_field(self, number: int) -> None:
        """Each M of the inquiry column that is missing is 30."""
        assert Edge().code("0100", without(INQUIRY, number)) == "30"

    @pytest.mark.parametrize("number", [2, 3, 4, 13, 24, 41, 42])
    def test_refuses_a_reversal_without_a_mandatory_field(self, number: int) -> None:
        """Each M of the reversal column that is missing is 30."""
        assert Edge().code("0400", without(REVERSAL, number)) == "30"

    def test_refuses_a_network_message_without_a_terminal(self) -> None:
        """DE41 of an 0800 is M."""
        assert Edge().code("0800", without(NETWORK, 41)) == "30"

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"de12": "240000"}, "30"),
            ({"de12": "126000"}, "30"),
            ({"de13": "1301"}, "30"),
            ({"de13": "0230"}, "30"),
            ({"de13": "0229"}, "30"),
            ({"de48": "no tags"}, "30"),
            ({"de48": "GC00"}, "30"),
            ({"de48": "GC16000A000000000001"}, "30"),
            ({"de48": "GC150001000000000001"}, "30"),
            ({"de48": "GC160001000005000001"}, "30"),
            ({"de35": pan_of(2) + "D3012"}, "30"),
            ({"de3": "010000"}, "12"),
            ({"de3": "200000"}, "12"),
            ({"de49": "840"}, "12"),
            ({"de4": "000000000000"}, "13"),
            ({"de41": "KEYED001"}, "63"),
            ({"de41": "KEYED001", "de64": "00" * 8}, "63"),
            ({"de41": "NOBODY01"}, "58"),
            ({"de41": "NOMAC001"}, "58"),
        ],
    )
    def test_refuses_a_purchase_for_one_wrong_value(
        self, change: dict[str, str], code: str
    ) -> None:
        """One wrong thing is answered at the edge, and nothing goes on."""
        edge = Edge()

        assert edge.code("0200", changed(PURCHASE, **change)) == code
        assert edge.queue.records == []

    @pytest.mark.parametrize(
        ("mti", "fields", "code"),
        [
            ("0100", PURCHASE, "12"),
            ("0100", changed(PURCHASE, de3="000000"), "12"),
            ("0400", changed(REVERSAL, de3="310000"), "12"),
            ("0420", changed(REVERSAL, de3="200000"), "12"),
            ("0220", PURCHASE, "12"),
            ("0300", PURCHASE, "12"),
            ("0820", NETWORK, "12"),
            ("0800", changed(NETWORK, de70="161"), "12"),
            ("0800", changed(NETWORK, de70="999"), "12"),
            ("0800", changed(NETWORK, de70=None, de3="910000"), "12"),
        ],
    )
    def test_refuses_what_nobody_serves(self, mti: str, fields: dict[int, str], code: str) -> None:
        """Unknown message types, processing codes and network codes are 12."""
        assert Edge().code(mti, fields) == code

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"de13": "0229", "de49": "840", "de4": "0" * 12, "de41": "NOBODY01"}, "30"),
            ({"de49": "840", "de4": "0" * 12, "de41": "KEYED001"}, "12"),
            ({"de4": "0" * 12, "de41": "KEYED001"}, "13"),
            ({"de4": "0" * 12, "de41": "NOBODY01"}, "13"),
        ],
    )
    def test_answers_the_first_code_that_applies(self, changes: dict[str, str], code: str) -> None:
        """30 comes before 12, 12 before 13, 13 before 63 and 58."""
        assert Edge().code("0200", changed(PURCHASE, **changes)) == code

    def test_refuses_two_macs_of_a_terminal_with_a_key(self) -> None:
        """DE64 and DE128 from a keyed terminal are a format error, before its MAC is looked at."""
        both = two_macs(changed(PURCHASE, de41="KEYED001", de4="0" * 12))

        assert answered_code(Edge().feed(both)) == "30"

    def test_ignores_two_macs_of_a_terminal_without_a_key(self) -> None:
        """A MAC of a terminal that needs none is ignored, and so are two."""
        edge = Edge()

        assert edge.feed(two_macs(PURCHASE)) == b""
        assert len(edge.queue.records) == 1

    def test_refuses_bit_65(self) -> None:
        """A third bitmap is 30 once MTI, DE11 and DE41 are read."""
        frame = bytearray(two_macs(PURCHASE))
        frame[TPDU_AT + 5 + 2 + 8] |= 0x80

        assert answered_code(Edge().feed(bytes(frame))) == "30"

    def test_refuses_bytes_after_the_last_field(self) -> None:
        """What stands behind the last field is 30."""
        frame = encode_frame("0200", PURCHASE) + b"\x00"

        assert answered_code(Edge().feed(frame)) == "30"

    def test_echoes_what_was_read_in_a_format_error(self) -> None:
        """An answer 30 has the E fields that were well formed, and DE37 only if it was sent."""
        answer = Edge().ask("0201", changed(PURCHASE, de22=None, de62="INV1", de14="3012"))

        assert answer == ("0210", {**changed(PURCHASE, de22=None, de62="INV1"), 39: "30"})

    @pytest.mark.parametrize(
        "fields", [changed(PURCHASE, de49="840"), changed(PURCHASE, de13=None)]
    )
    def test_echoes_the_terminals_own_number_in_a_refusal(self, fields: dict[int, str]) -> None:
        """DE37 that was sent comes back in 12 and 30 too."""
        answer = Edge().ask("0200", changed(fields, de37="ABC123456789"))

        assert answer is not None
        assert answer[1][37] == "ABC123456789"

    @pytest.mark.parametrize(
        "change", [{"de4": "0" * 12}, {"de41": "KEYED001"}, {"de41": "NOBODY01"}]
    )
    def test_gives_other_refusals_a_number_that_no_row_has(self, change: dict[str, str]) -> None:
        """DE37 is A in 13, 63 and 58; the ledger's numbers are all digits, these are not."""
        edge = Edge()
        numbers = [edge.ask("0200", changed(PURCHASE, **change)) for _ in range(3)]

        shown = [answer[1][37] for answer in numbers if answer]
        assert len(set(shown)) == 3
        assert all(len(rrn) == 12 and rrn[0] == "E" and rrn[1:].isdigit() for rrn in shown)

    def test_swaps_the_addresses(self) -> None:
        """Destination and origin of the TPDU change places in the answer."""
        answer = Edge().feed(encode_frame("0800", NETWORK))

        assert answer is not None
        assert answer[TPDU_AT : TPDU_AT + len(TPDU)] == TPDU_BACK

    @pytest.mark.parametrize(
        ("mti", "answer"), [("0400", "0410"), ("0401", "0410"), ("0420", "0430"), ("0421", "0430")]
    )
    def test_answers_each_reversal_with_its_own_type(self, mti: str, answer: str) -> None:
        """Function digit + 1, origin digit 0."""
        answered = Edge().ask(mti, changed(REVERSAL, de41="NOBODY01"))

        assert answered is not None
        assert answered[0] == answer

    def test_writes_one_line_for_a_refusal(self) -> None:
        """A refusal at the edge is a money message too; its card is masked."""
        edge = Edge()
        edge.ask("0200", changed(PURCHASE, de4="0" * 12))

        (line,) = edge.journal.lines
        assert ("purchase", "13", "936009******0016") == (line.operation, line.de39, line.card)


class TestDropped:
    @pytest.mark.parametrize("mti", ["0210", "0110", "0430", "0810", "1200", "2200", "0900"])
    def test_drops_what_is_no_request_of_this_version(self, mti: str) -> None:
        """Answers, other versions and class 9 are counted and dropped."""
        edge = Edge()

        assert edge.feed(encode_frame(mti, PURCHASE)) is None
        assert [entry[0] for entry in edge.journal.counted] == ["dropped"]

    def test_drops_a_message_without_a_stan(self) -> None:
        """Nobody can answer what has no DE11."""
        assert Edge().feed(encode_frame("0200", without(PURCHASE, 11))) is None

    @pytest.mark.parametrize("length", [10, 11, 20, 40, 47])
    def test_drops_what_breaks_before_its_terminal(self, length: int) -> None:
        """A length past the end before DE41 cannot be answered."""
        frame = encode_frame("0200", PURCHASE)

        assert Edge().feed(frame[: TPDU_AT + 5 + length]) is None

    def test_survives_a_handler_that_fails(self) -> None:
        """A fault of our own is written as class and place, and is met with silence."""
        edge = Edge()
        edge.terminals.by_code = None  # type: ignore[assignment]  # -- the fault

        assert edge.feed(encode_frame("0200", PURCHASE)) is None
        assert edge.journal.counted == [("failed", "receive", "AttributeError")]


class TestNetwork:
    @pytest.mark.parametrize(
        ("change", "action"),
        [
            ({"de70": "001"}, "sign_on"),
            ({"de70": "002"}, "sign_off"),
            ({"de70": "301"}, "echo"),
            ({"de70": None}, "echo"),
            ({"de70": None, "de3": "920000"}, "log_on"),
            ({"de70": None, "de3": "990000"}, "log_on"),
        ],
    )
    def test_answers_with_our_time(self, change: dict[str, str | None], action: str) -> None:
        """DE12 and DE13 are ours, in the listener's zone; the rest is echoed."""
        edge = Edge()
        sent = changed(NETWORK, **change, de12="010203", de24="003", de42="BUMA00000000001")

        answer = edge.ask("0800", changed(sent, de7="1124030000", de62="HELLO"))

        expected = changed(sent, de7="1124030000", de62="HELLO", de12="120000", de13="1124")
        assert answer == ("0810", {**expected, 39: "00"})
        assert edge.journal.counted == [("network", action, "00")]

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"de41": "NOBODY01"}, "58"),
            ({"de41": "KEYED001"}, "63"),
            ({"de70": "161"}, "12"),
            ({"de41": None}, "30"),
        ],
    )
    def test_tells_the_time_whatever_the_code(
        self, change: dict[str, str | None], code: str
    ) -> None:
        """A refused 0810 has DE12 and DE13 too, and no DE37."""
        answer = Edge().ask("0800", changed(NETWORK, **change))

        assert answer is not None
        fields = answer[1]
        assert (code, "120000", "1124") == (fields[39], fields[12], fields[13])
        assert 37 not in fields

    def test_answers_under_overload(self) -> None:
        """Echo is answered while money messages are met with silence."""
        edge = Edge(in_flight_max=1)
        edge.ask("0200", PURCHASE)

        assert edge.ask("0200", changed(PURCHASE, de11="000009")) is None
        assert edge.code("0800", NETWORK) == "00"
        assert ("silent", "shed") in edge.journal.counted


class TestRegistry:
    @pytest.mark.parametrize(("mti", "fields"), [("0200", PURCHASE), ("0800", NETWORK)])
    def test_is_silent_to_a_stranger_while_the_registry_may_be_old(
        self, mti: str, fields: dict[int, str]
    ) -> None:
        """Nobody is called unknown by an edge that cannot know."""
        edge = Edge()
        edge.terminals.current = False

        assert edge.ask(mti, changed(fields, de41="NEWTERM1")) is None
        assert edge.journal.counted == [("silent", "registry_not_current")]

    def test_goes_on_with_known_terminals_while_the_registry_may_be_old(self) -> None:
        """Repeats and reversals must work; new money is refused further in."""
        edge = Edge()
        edge.terminals.current = False
        edge.ask("0400", REVERSAL)

        assert len(edge.queue.records) == 1


class TestPassOn:
    def test_sends_a_purchase(self) -> None:
        """A purchase goes on with key, token, content and deadline, and without its PIN."""
        edge = Edge()
        sent = changed(
            PURCHASE, de14="3012", de52="11" * 8, de37="RRN000000001", de49="360",
            de48="GC160001000001000000XX02ab",
        )  # fmt: skip

        assert edge.ask("0201", sent) is None

        (asked,), (envelope,), (record,) = edge.requests(), edge.envelopes(), edge.queue.records
        reference = asked.reference
        assert asked.operation == OPERATION_PURCHASE
        assert reference.key == business_key(day_of(DAY), "LSK00001", "000001")
        assert (DAY, 0, 500_000_00 // 10, 360) == (
            reference.key_day, reference.processing_code, reference.amount_minor,
            reference.currency,
        )  # fmt: skip
        assert (token_of(PAN), "BUMA00000000001", "LSK00001", 1, "RRN000000001", "edc") == (
            reference.card_token, reference.outlet, reference.terminal, reference.stan,
            reference.rrn_sent, reference.listener,
        )  # fmt: skip
        assert reference.received_ms == NOON_MS
        assert list(asked.goods) == [GoodsLine(goods_class=1, amount_minor=10_000_00)]
        assert ("3012", 21, True, True, 0, "120000") == (
            asked.expiry, asked.entry_mode, asked.pin_present, asked.is_repeat,
            asked.refuse_new, asked.local_time,
        )  # fmt: skip
        assert NOON_MS + 8_000 == envelope.deadline_ms
        assert ("iso_bridge.answers.v1", 3) == (envelope.answer_topic, envelope.answer_partition)
        assert record.partition == int.from_bytes(token_of(PAN)[:2], "big") % 8
        assert b"\x11" * 8 not in record.value
        assert PAN.encode() not in record.value

    def test_reads_the_card_from_track_2(self) -> None:
        """DE35 names the same card as DE2; it does not go on and is not echoed."""
        edge = Edge()
        edge.ask("0200", changed(PURCHASE, de2=None, de35=PAN + "D30121010000000000"))

        assert edge.requests()[0].reference.card_token == token_of(PAN)

    def test_gives_a_reversal_no_deadline(self) -> None:
        """A reversal never expires on the way; its socket waits no longer than others."""
        edge = Edge()
        edge.ask("0420", REVERSAL)

        assert edge.requests()[0].operation == OPERATION_REVERSAL
        assert edge.envelopes()[0].deadline_ms == 0
        assert [at for at, _ in edge.inbox.waiting.values()] == [8_000]

    def test_names_the_original_by_the_same_key(self) -> None:
        """Purchase, repeat and reversal have one key, whatever DE24 and DE12 say."""
        edge = Edge()
        edge.ask("0200", PURCHASE)
        edge.ask("0400", changed(REVERSAL, de24="999"))

        assert len({asked.reference.key for asked in edge.requests()}) == 1

    @pytest.mark.parametrize("mti", ["0200", "0201", "0100"])
    def test_sends_an_inquiry_without_a_key(self, mti: str) -> None:
        """Each inquiry is asked afresh: two of them are two requests."""
        edge = Edge()
        edge.ask(mti, INQUIRY)
        edge.ask(mti, INQUIRY)

        assert [asked.operation for asked in edge.requests()] == [OPERATION_INQUIRY] * 2
        assert {asked.reference.key for asked in edge.requests()} == {b""}
        assert {envelope.deadline_ms for envelope in edge.envelopes()} == {NOON_MS + 8_000}

    @pytest.mark.parametrize(
        ("mmdd", "refuse_new"),
        [("1120", 202), ("1121", 0), ("1124", 0), ("1125", 0), ("1126", 202), ("0101", 202)],
    )
    def test_marks_days_outside_the_window(self, mmdd: str, refuse_new: int) -> None:
        """Today -3 to +1 may be new; a known key with another day must still be found."""
        edge = Edge()
        edge.ask("0200", changed(PURCHASE, de13=mmdd))

        assert edge.requests()[0].refuse_new == refuse_new
        assert Outcome.DATE_OUT_OF_WINDOW.number == 202

    def test_lets_reversals_be_old(self) -> None:
        """The window is for new purchases alone."""
        edge = Edge()
        edge.ask("0400", changed(REVERSAL, de13="0901"))

        assert edge.requests()[0].refuse_new == 0

    def test_turns_the_year(self) -> None:
        """On 1 January a message of 31 December is yesterday's."""
        edge = Edge(now_ms=NOON_MS + 38 * DAY_MS)
        edge.ask("0200", changed(PURCHASE, de13="1231"))

        asked = edge.requests()[0]
        assert (DAY + 37, 0) == (asked.reference.key_day, asked.refuse_new)

    def test_follows_the_zones_midnight(self) -> None:
        """Twelve hours later it is the 25th in Jayapura, and the window has moved."""
        edge = Edge()
        edge.ask("0200", changed(PURCHASE, de13="1126"))
        edge.clock.advance(12 * 3_600_000)
        edge.ask("0200", changed(PURCHASE, de13="1126", de11="000002"))
        edge.clock.jump_to(NOON_MS)
        edge.ask("0200", changed(PURCHASE, de13="1126", de11="000003"))

        assert [asked.refuse_new for asked in edge.requests()] == [202, 0, 202]

    def test_counts_what_it_owes(self) -> None:
        """A socket knows that an answer is to come."""
        edge, caller = Edge(), FakeCaller()
        edge.ask("0200", PURCHASE, caller)

        assert caller.owed == 1


class TestSignOn:
    def test_refuses_new_purchases_without_it(self) -> None:
        """Where it is demanded, an unknown key is refused further in; a repeat hears its answer."""
        edge = Edge(sign_on_required=True)
        edge.ask("0200", PURCHASE)
        edge.ask("0800", changed(NETWORK, de70="001"))
        edge.ask("0200", changed(PURCHASE, de11="000002"))
        edge.ask("0800", changed(NETWORK, de70="002"))
        edge.ask("0200", changed(PURCHASE, de11="000003"))

        refused = Outcome.TERMINAL_REFUSED.number
        assert [asked.refuse_new for asked in edge.requests()] == [refused, 0, refused]

    def test_never_stops_a_reversal(self) -> None:
        """A reversal always works."""
        edge = Edge(sign_on_required=True)
        edge.ask("0400", REVERSAL)

        assert edge.requests()[0].refuse_new == 0

    def test_refuses_an_inquiry_at_the_edge(self) -> None:
        """An inquiry has no key, so nothing was said before."""
        edge = Edge(sign_on_required=True)

        assert edge.code("0100", INQUIRY) == "58"
        edge.ask("0800", changed(NETWORK, de70=None, de3="920000"))
        assert edge.code("0100", INQUIRY) is None

    def test_is_not_asked_for_by_default(self) -> None:
        """Sign-off does not stop money."""
        edge = Edge()
        edge.ask("0800", changed(NETWORK, de70="002"))
        edge.ask("0200", PURCHASE)

        assert edge.requests()[0].refuse_new == 0


def two_macs(fields: Mapping[int, str]) -> bytes:
    """Write a message with DE64 and DE128."""
    frame = encode_frame("0200", {**fields, 64: "00" * 8, 70: "301"})
    # DE70 stands last and takes two bytes; its place is taken by DE128.
    message = bytearray(frame[TPDU_AT + len(TPDU) : -2] + bytes(8))
    message[10:18] = (1).to_bytes(8, "big")
    return (len(TPDU) + len(message)).to_bytes(2, "big") + TPDU + bytes(message)


def answered_code(frame: bytes | None) -> str:
    """Return DE39 of an answer that ends with DE41 and DE42."""
    assert frame
    return decode_frame(frame)[1][39]


class TestRate:
    def test_is_silent_to_a_terminal_above_its_rate(self) -> None:
        """Neither asked nor answered, counted, its line slowed, and said once."""
        edge, caller = Edge(rate=MessageRate(per_second=1, burst=2)), FakeCaller()

        for _ in range(5):
            assert edge.feed(encode_frame("0200", PURCHASE), caller) == b""
        assert len(edge.queue.records) == 1  # The second one joined it.
        assert edge.journal.counted.count(("silent", "terminal_rate")) == 3
        assert edge.journal.counted.count(("flooding", "LSK00001")) == 1
        assert caller.slowed == 3

    def test_takes_its_reversals_all_the_same(self) -> None:
        """A flood must not keep money that a reversal gives back."""
        edge = Edge(rate=MessageRate(per_second=1, burst=1))

        for _ in range(3):
            edge.ask("0200", PURCHASE)
        edge.ask("0400", REVERSAL)
        assert [request.operation for request in edge.requests()] == [
            OPERATION_PURCHASE, OPERATION_REVERSAL,
        ]  # fmt: skip

    def test_counts_echoes_too(self) -> None:
        """Echo is answered under any load but the terminal's own."""
        edge = Edge(rate=MessageRate(per_second=1, burst=1))

        assert edge.code("0800", NETWORK) == "00"
        assert edge.ask("0800", NETWORK) is None

    def test_lets_the_unknown_share_one_rate(self) -> None:
        """Made-up names would each begin with a burst of their own, and be kept for ever."""
        edge = Edge(rate=MessageRate(per_second=1, burst=2))
        codes = [edge.code("0200", changed(PURCHASE, de41=f"NONE{n:04d}")) for n in range(4)]

        assert codes == ["58", "58", None, None]
        assert edge.ask("0200", PURCHASE) is None
        assert len(edge.requests()) == 1
