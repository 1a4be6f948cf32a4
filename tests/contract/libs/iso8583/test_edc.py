"""The edc dialect against what it was made from: edc's tables, another maker's frames, the lint."""

import re
from collections import Counter
from pathlib import Path

import pytest

from libs.iso8583 import (
    Codec,
    Dialect,
    FrameReader,
    Kind,
    Message,
    MessageSpec,
    check_form,
    describe,
    load_dialect,
    request_frame,
)
from libs.iso8583.golden import GoldenFrame, read_golden
from libs.iso8583.lint import lint_dialect
from libs.iso8583.pyiso8583_codec import Pyiso8583Codec, plain
from libs.outcome import Outcome

EDC = Path(__file__).parents[4] / "proto" / "iso8583" / "edc"
DIALECT = load_dialect(EDC)
GOLDEN = read_golden(EDC, DIALECT)
NAMES = [frame.name for frame in GOLDEN]

# The field table of the interface: number, class, length, and LL or LLL as 2 or 3.
FORMS = """
2 n 19 2 | 3 n 6 0 | 4 n 12 0 | 7 n 10 0 | 11 n 6 0 | 12 n 6 0 | 13 n 4 0 | 14 n 4 0 | 22 n 3 0
23 n 3 0 | 24 n 3 0 | 25 n 2 0 | 32 n 11 2 | 35 z 37 2 | 37 an 12 0 | 38 an 6 0 | 39 an 2 0
41 ans 8 0 | 42 ans 15 0 | 48 ans 999 3 | 49 an 3 0 | 52 b 8 0 | 53 n 16 0 | 54 ans 120 3
55 b 999 3 | 60 ans 999 3 | 61 ans 999 3 | 62 ans 999 3 | 63 ans 999 3 | 64 b 8 0 | 70 n 3 0
128 b 8 0
"""

# The message table: mandatory, one of, optional, echoed, set by us with the codes that carry it.
COLUMNS = {
    "purchase": (
        {3, 4, 11, 12, 13, 22, 24, 41, 42},
        {2, 35},
        {7, 14, 23, 25, 37, 48, 49, 52, 53, 62},
        {2, 3, 4, 7, 11, 12, 13, 24, 37, 41, 42, 49, 62},
        {37: "", 38: "00", 39: "", 48: "00", 54: "00 51", 64: "", 128: ""},
    ),
    "inquiry": (
        {3, 11, 24, 41, 42},
        {2, 35},
        {4, 7, 12, 13, 14, 22, 23, 25, 37, 49, 52, 53, 62},
        {2, 3, 4, 7, 11, 12, 13, 24, 37, 41, 42, 49, 62},
        {37: "", 38: "00", 39: "", 54: "00", 64: "", 128: ""},
    ),
    "reversal": (
        {3, 4, 11, 13, 24, 41, 42},
        {2, 35},
        {7, 12, 14, 22, 23, 25, 37, 49, 62},
        {2, 3, 4, 7, 11, 12, 13, 24, 37, 41, 42, 49, 62},
        {37: "", 39: "", 54: "00", 64: "", 128: ""},
    ),
    "network": (
        {11, 41},
        set(),
        {3, 7, 24, 42, 62, 70},
        {3, 7, 11, 24, 41, 42, 62, 70},
        {12: "", 13: "", 39: "", 64: "", 128: ""},
    ),
}


def message_of(frame: GoldenFrame) -> bytes:
    """Cut the message out of its frame."""
    (found,) = FrameReader(DIALECT.transport.frame).feed(frame.frame)
    assert frame.tpdu == found.tpdu
    return found.message


def values_of(message: Message) -> dict[int, str | bytes]:
    """Return all values in clear."""
    return {number: plain(value) for number, value in message.fields.items()}


class TestGolden:
    @pytest.mark.parametrize("golden", GOLDEN, ids=NAMES)
    def test_decodes_to_what_was_put_in(self, golden: GoldenFrame) -> None:
        """First met and met before."""
        codec = Codec(DIALECT, reads_answers=True)

        found = [codec.decode(message_of(golden)) for _ in range(2)]

        for message in found:
            assert golden.mti == message.mti
            assert golden.fields == values_of(message)
            assert (None, frozenset()) == (message.broken, message.misformed)

    @pytest.mark.parametrize(
        "golden", [frame for frame in GOLDEN if frame.is_canonical], ids=lambda frame: frame.name
    )
    def test_encodes_to_the_same_bytes(self, golden: GoldenFrame) -> None:
        """From plain values and from what was decoded."""
        codec = Codec(DIALECT, reads_answers=True)
        decoded = codec.decode(message_of(golden)).fields

        for fields in (golden.fields, decoded):
            message = codec.encode(golden.mti, fields)
            assert golden.frame == request_frame(golden.tpdu, message)

    @pytest.mark.parametrize(
        "golden", [frame for frame in GOLDEN if frame.is_canonical], ids=lambda frame: frame.name
    )
    def test_agrees_with_pyiso8583(self, golden: GoldenFrame) -> None:
        """A third maker reads and writes the same."""
        oracle = Pyiso8583Codec(DIALECT)
        message = message_of(golden)

        assert (golden.mti, golden.fields) == oracle.decode(message)
        assert message == oracle.encode(golden.mti, golden.fields)

    @pytest.mark.parametrize(
        "golden", [frame for frame in GOLDEN if frame.mti[2] in "02"], ids=lambda frame: frame.name
    )
    def test_lets_every_golden_request_go_on(self, golden: GoldenFrame) -> None:
        """Step 1 finds nothing wrong with a request that another maker wrote by the table."""
        form = check_form(Codec(DIALECT).decode(message_of(golden)), DIALECT)

        assert form.outcome is None
        assert (form.kind is Kind.NETWORK) == (form.card is None)

    @pytest.mark.parametrize("golden", GOLDEN, ids=NAMES)
    def test_shows_no_card_number(self, golden: GoldenFrame) -> None:
        """Neither the message nor its view; both ways."""
        message = Codec(DIALECT, reads_answers=True).decode(message_of(golden))

        shown = f"{message!r} {list(message.fields.values())!r} {describe(message, DIALECT)!r}"

        assert not re.search(r"93600999\d{4}", shown)

    def test_covers_both_ways_of_every_kind(self) -> None:
        """At least thirty frames, requests and answers, each message type."""
        seen = Counter(frame.mti for frame in GOLDEN)

        assert len(GOLDEN) >= 30
        assert {"0100", "0200", "0201", "0400", "0401", "0420", "0421", "0800"} <= seen.keys()
        assert {"0110", "0210", "0410", "0430", "0810"} <= seen.keys()
        assert len(set(NAMES)) == len(NAMES)

    def test_reads_all_of_them_from_one_stream(self) -> None:
        """Frames back to back come out as they went in."""
        reader = FrameReader(DIALECT.transport.frame)

        found = reader.feed(b"".join(frame.frame for frame in GOLDEN))

        assert [message_of(frame) for frame in GOLDEN] == [frame.message for frame in found]


class TestTables:
    def test_has_nothing_for_the_lint(self) -> None:
        """`lesko iso lint proto/iso8583/edc` is silent."""
        assert [] == lint_dialect(EDC)

    @pytest.mark.parametrize("row", FORMS.replace("\n", "|").strip("|").split("|"))
    def test_gives_every_field_its_form(self, row: str) -> None:
        """As the coding table says, line by line."""
        number, cls, length, length_digits = row.split()
        field = DIALECT.fields[int(number)]

        assert (cls, int(length), int(length_digits)) == (
            field.cls,
            field.length,
            field.length_digits,
        )

    def test_knows_every_bit_but_65(self) -> None:
        """Whatever an older packager sends can be read past."""
        assert set(range(2, 129)) - {65} == DIALECT.fields.keys()

    @pytest.mark.parametrize("name", COLUMNS)
    def test_gives_every_message_its_column(self, name: str) -> None:
        """As the message table says, mark by mark."""
        mandatory, one_of, optional, echoed, answered = COLUMNS[name]
        spec: MessageSpec = DIALECT.messages.by_name[name]

        assert mandatory == spec.mandatory
        assert one_of == spec.one_of
        assert optional == spec.judged - spec.mandatory - spec.one_of
        assert echoed == spec.echoed
        codes = {number: frozenset(text.split()) for number, text in answered.items()}
        assert codes == dict(spec.answered)

    def test_sends_the_codes_of_the_catalogue(self) -> None:
        """The catalogue's own DE39 is that of edc; no row differs and none is missing."""
        expected = {outcome: outcome.de39 for outcome in Outcome}

        assert expected == dict(DIALECT.response_codes)


def test_is_found_in_the_source_tree() -> None:
    """The dialect lies where settings point by default."""
    assert isinstance(load_dialect(Path(EDC)), Dialect)
    assert "edc" == DIALECT.name == EDC.name
