"""Step 1 of edc.md, one rule at a time: 30 before 12 before 13."""

from collections.abc import Callable

import pytest

from libs.iso8583 import (
    Codec,
    Dialect,
    FieldValue,
    Form,
    Kind,
    NetworkAction,
    Pan,
    check_form,
    has_two_macs,
    mac_field,
)
from libs.iso8583.message import Message
from libs.outcome import Outcome

Build = Callable[..., dict[int, FieldValue]]
Judge = Callable[..., Form]
Changes = dict[int, FieldValue | None]

MALFORMED = Outcome.FORMAT_ERROR
UNSERVED = Outcome.FUNCTION_UNSUPPORTED

INQUIRY: Changes = {3: "310000", 4: None, 12: None, 13: None, 22: None}
REVERSAL: Changes = {12: None, 22: None}


@pytest.fixture
def judge(dialect: Dialect, codec: Codec, a_purchase: Build) -> Judge:
    """Give ``judge(mti, changes, drop_last=…)``: encode a changed purchase, decode and judge it."""

    def check(mti: str, changes: Changes | None = None) -> Form:
        message = codec.encode(mti, a_purchase(changes))
        return check_form(codec.decode(message), dialect)

    return check


@pytest.fixture
def judge_network(dialect: Dialect, codec: Codec) -> Judge:
    """Give ``judge(fields)`` for an 0800 with STAN and terminal."""

    def check(fields: dict[int, FieldValue] | None = None) -> Form:
        message = codec.encode("0800", {11: "000001", 41: "LSK00001", **(fields or {})})
        return check_form(codec.decode(message), dialect)

    return check


class TestPurchase:
    @pytest.mark.parametrize("mti", ["0200", "0201"])
    def test_lets_a_purchase_go_on(self, judge: Judge, mti: str) -> None:
        """With or without the repeat bit it is a purchase with card and amount."""
        form = judge(mti)

        assert (Kind.PURCHASE, None) == (form.kind, form.outcome)
        assert (Pan("9360099900000016"), 50_000_00, ()) == (
            form.card,
            form.amount_minor,
            form.goods,
        )

    def test_takes_the_card_from_track_2(self, judge: Judge) -> None:
        """DE35 alone names the card as DE2 does."""
        form = judge("0200", {2: None, 35: "9360099900000016D3012"})

        assert (None, Pan("9360099900000016")) == (form.outcome, form.card)

    def test_takes_both_when_they_name_one_card(self, judge: Judge) -> None:
        """DE2 and DE35 of one card."""
        assert judge("0200", {35: "9360099900000016D3012"}).outcome is None

    def test_refuses_two_different_cards(self, judge: Judge) -> None:
        """DE2 and DE35 that differ in one digit."""
        assert MALFORMED is judge("0200", {35: "9360099900000024D3012"}).outcome

    def test_refuses_no_card(self, judge: Judge) -> None:
        """Neither DE2 nor DE35."""
        assert MALFORMED is judge("0200", {2: None}).outcome

    @pytest.mark.parametrize("number", [3, 4, 12, 13, 22, 24, 41, 42])
    def test_refuses_without_a_mandatory_field(self, judge: Judge, number: int) -> None:
        """Each field marked M, one at a time (DE11 missing is dropped before)."""
        assert MALFORMED is judge("0200", {number: None}).outcome

    @pytest.mark.parametrize("number", [7, 14, 23, 25, 37, 48, 49, 52, 53, 62])
    def test_goes_on_without_an_optional_field(self, judge: Judge, number: int) -> None:
        """Each field marked O may be missing."""
        assert judge("0200", {number: None}).outcome is None

    @pytest.mark.parametrize(
        ("number", "value"), [(12, "250000"), (13, "0231"), (37, "12345678901!"), (62, "\x07")]
    )
    def test_refuses_a_misformed_field_that_it_lists(
        self, judge: Judge, number: int, value: str
    ) -> None:
        """Mandatory or optional: what the message lists must be right."""
        assert MALFORMED is judge("0200", {number: value}).outcome

    @pytest.mark.parametrize("number", [54, 60, 63, 43])
    def test_ignores_a_misformed_field_that_it_does_not_list(
        self, judge: Judge, number: int
    ) -> None:
        """What nobody reads cannot stop a purchase."""
        value = "\x07" * 40

        assert judge("0200", {number: value}).outcome is None

    def test_refuses_a_broken_message(
        self, judge: Judge, codec: Codec, dialect: Dialect, a_purchase: Build
    ) -> None:
        """Bytes after the last field."""
        message = codec.decode(codec.encode("0200", a_purchase()) + b"\x00")

        form = check_form(message, dialect)

        assert (Kind.PURCHASE, MALFORMED) == (form.kind, form.outcome)

    def test_refuses_an_amount_of_zero(self, judge: Judge) -> None:
        """Form is right, the amount is not: 13."""
        assert Outcome.AMOUNT_INVALID is judge("0200", {4: "0" * 12}).outcome

    def test_accepts_one_sen(self, judge: Judge) -> None:
        """Sen are allowed."""
        assert (None, 1) == judge("0200", {4: "000000000001"})[2:5:2]

    def test_refuses_another_currency(self, judge: Judge) -> None:
        """Only rupiah are served."""
        assert UNSERVED is judge("0200", {49: "840"}).outcome

    def test_says_30_before_12_before_13(self, judge: Judge) -> None:
        """Everything is wrong at once: the first in the table is said."""
        wrong: Changes = {49: "840", 4: "0" * 12}

        assert MALFORMED is judge("0200", {**wrong, 42: None}).outcome
        assert UNSERVED is judge("0200", wrong).outcome


class TestGoods:
    @pytest.mark.parametrize(
        ("text", "goods"),
        [
            ("GC160001000003000000", ((1, 30_000_00),)),
            ("GC320001000003000000" + "0002000002000000", ((1, 30_000_00), (2, 20_000_00))),
            ("GC160001000003000000GC160001000000000001", ((1, 30_000_00), (1, 1))),
            ("GC160000000000000000", ()),
            ("XX03abc", ()),
            ("PS00", ()),
            ("", ()),
        ],
    )
    def test_reads_the_lines(
        self, judge: Judge, text: str, goods: tuple[tuple[int, int], ...]
    ) -> None:
        """Tags may repeat, unknown ones are passed over, lines of nothing left out."""
        form = judge("0200", {48: text})

        assert (None, goods) == (form.outcome, form.goods)

    @pytest.mark.parametrize(
        "text",
        [
            "GC00",
            "GC15000100000300000",
            "GC1700010000030000000",
            "GC16ABCD000003000000",
            "GC16000100000300000X",
            "GC16 001000003000000",
            "GC160001000005000001",
            "GC160001000003000000GC160002000002000001",
            "GC9",
            "G",
            "GC16",
            "XX0Aabc",
            "XX04abc",
            "GC160001000003000000X",
        ],
    )
    def test_refuses_what_is_no_list_or_too_much(self, judge: Judge, text: str) -> None:
        """No TLV, GC empty, malformed, without a class, or more than DE4: 30."""
        assert MALFORMED is judge("0200", {48: text}).outcome

    def test_ignores_goods_elsewhere(self, judge: Judge) -> None:
        """DE48 of inquiries and reversals is not looked at."""
        assert judge("0200", {**INQUIRY, 48: "GC00"}).outcome is None
        assert judge("0400", {**REVERSAL, 48: "\x07"}).outcome is None


class TestInquiry:
    @pytest.mark.parametrize("mti", ["0200", "0201", "0100"])
    def test_lets_an_inquiry_go_on(self, judge: Judge, mti: str) -> None:
        """Neither amount nor time nor entry mode is needed."""
        form = judge(mti, INQUIRY)

        assert (Kind.INQUIRY, None) == (form.kind, form.outcome)
        assert Pan("9360099900000016") == form.card

    def test_does_not_look_at_the_amount(self, judge: Judge) -> None:
        """Zero is fine where nothing is paid."""
        assert judge("0100", {**INQUIRY, 4: "0" * 12}).outcome is None

    @pytest.mark.parametrize("number", [2, 3, 24, 41, 42])
    def test_refuses_without_a_mandatory_field(self, judge: Judge, number: int) -> None:
        """Each field marked M, one at a time."""
        assert MALFORMED is judge("0100", {**INQUIRY, number: None}).outcome

    def test_refuses_a_time_that_is_none(self, judge: Judge) -> None:
        """An optional field is judged when it is there."""
        assert MALFORMED is judge("0100", {**INQUIRY, 12: "250000"}).outcome

    def test_refuses_another_currency(self, judge: Judge) -> None:
        """As in a purchase."""
        assert UNSERVED is judge("0200", {**INQUIRY, 49: "840"}).outcome

    def test_refuses_a_purchase_in_an_0100(self, judge: Judge) -> None:
        """00xxxx belongs to 0200."""
        form = judge("0100")

        assert (Kind.UNKNOWN, UNSERVED) == (form.kind, form.outcome)


class TestReversal:
    @pytest.mark.parametrize("mti", ["0400", "0401", "0420", "0421"])
    def test_lets_a_reversal_go_on(self, judge: Judge, mti: str) -> None:
        """Four types; DE12 and DE22 are not needed, an amount of zero is no reason."""
        form = judge(mti, {**REVERSAL, 4: "0" * 12})

        assert (Kind.REVERSAL, None) == (form.kind, form.outcome)

    @pytest.mark.parametrize("number", [2, 3, 4, 13, 24, 41, 42])
    def test_refuses_without_a_mandatory_field(self, judge: Judge, number: int) -> None:
        """Each field marked M, one at a time."""
        assert MALFORMED is judge("0400", {**REVERSAL, number: None}).outcome

    @pytest.mark.parametrize("code", ["310000", "200000", "920000"])
    def test_refuses_the_reversal_of_anything_but_a_purchase(self, judge: Judge, code: str) -> None:
        """Anything but 00xxxx."""
        form = judge("0420", {**REVERSAL, 3: code})

        assert (Kind.UNKNOWN, UNSERVED) == (form.kind, form.outcome)

    def test_refuses_another_currency(self, judge: Judge) -> None:
        """As in a purchase."""
        assert UNSERVED is judge("0400", {**REVERSAL, 49: "840"}).outcome


class TestNetwork:
    @pytest.mark.parametrize(
        ("fields", "action"),
        [
            ({70: "001"}, NetworkAction.SIGN_ON),
            ({70: "002"}, NetworkAction.SIGN_OFF),
            ({70: "301"}, NetworkAction.ECHO),
            ({}, NetworkAction.ECHO),
            ({3: "920000"}, NetworkAction.LOG_ON),
            ({3: "990000"}, NetworkAction.LOG_ON),
            ({3: "920000", 70: "001"}, NetworkAction.SIGN_ON),
        ],
    )
    def test_finds_the_action(
        self, judge_network: Judge, fields: dict[int, FieldValue], action: NetworkAction
    ) -> None:
        """DE70 names it, else DE3, else it is an echo."""
        form = judge_network(fields)

        assert (Kind.NETWORK, None, action) == (form.kind, form.outcome, form.network)

    @pytest.mark.parametrize(
        "fields", [{70: "161"}, {70: "999"}, {3: "000000"}, {3: "920001"}, {3: "920000", 70: "161"}]
    )
    def test_refuses_what_nobody_serves(
        self, judge_network: Judge, fields: dict[int, FieldValue]
    ) -> None:
        """One unknown code is enough."""
        assert UNSERVED is judge_network(fields).outcome

    def test_looks_at_no_card_time_or_currency(self, judge_network: Judge) -> None:
        """Fields that an 0800 does not list are ignored, right or wrong."""
        fields = {2: "1", 12: "999999", 13: "9999", 49: "840", 48: "GC00"}

        assert judge_network(fields).outcome is None

    def test_refuses_without_a_terminal(self, codec: Codec, dialect: Dialect) -> None:
        """DE41 is mandatory everywhere."""
        message = codec.decode(codec.encode("0800", {11: "000001"}))

        assert MALFORMED is check_form(message, dialect).outcome


class TestUnknown:
    @pytest.mark.parametrize(
        "mti", ["0101", "0120", "0220", "0300", "0500", "0600", "0801", "0000"]
    )
    def test_refuses_a_type_that_nobody_serves(self, judge: Judge, mti: str) -> None:
        """12, whatever it carries, as long as STAN and terminal are there."""
        form = judge(mti, {4: None, 22: None, 24: None, 42: None})

        assert (Kind.UNKNOWN, UNSERVED) == (form.kind, form.outcome)

    def test_refuses_an_unknown_type_without_terminal_as_malformed(self, judge: Judge) -> None:
        """What every message needs comes first."""
        assert MALFORMED is judge("0500", {41: None}).outcome

    @pytest.mark.parametrize("code", ["200000", "010000", "920000", "990000"])
    def test_refuses_a_processing_code_that_nobody_serves(self, judge: Judge, code: str) -> None:
        """Refunds and cash come later."""
        form = judge("0200", {3: code, 12: None})

        assert (Kind.UNKNOWN, UNSERVED) == (form.kind, form.outcome)

    def test_refuses_an_unknown_code_without_outlet_as_malformed(self, judge: Judge) -> None:
        """What every column of this type needs comes first."""
        assert MALFORMED is judge("0200", {3: "200000", 42: None}).outcome


class TestMac:
    def test_tells_two_macs(self) -> None:
        """DE64 and DE128 at once."""
        both = Message("0200", {64: b"1" * 8, 128: b"2" * 8})

        assert has_two_macs(both)
        assert not has_two_macs(Message("0200", {64: b"1" * 8}))
        assert not has_two_macs(Message("0200", {128: b"1" * 8}))

    def test_stands_where_the_bitmap_says(self) -> None:
        """128 as soon as there is a second bitmap."""
        assert 64 == mac_field(Message("0200", {}))
        assert 128 == mac_field(Message("0200", {}, has_second_bitmap=True))
