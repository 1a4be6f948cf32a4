"""Any bytes give a message or a DecodeFault, by plan and exactly alike; pyiso8583 agrees."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.iso8583 import (
    Answers,
    Codec,
    DecodeFault,
    FieldValue,
    Message,
    answer_mti,
    check_form,
    describe,
    load_dialect,
)
from libs.iso8583.exact_decoder import ExactDecoder
from libs.iso8583.field import Field
from libs.iso8583.golden import read_golden
from libs.iso8583.pyiso8583_codec import Plain, Pyiso8583Codec, plain

PATIENT = settings(deadline=None, max_examples=300)
EDC = Path(__file__).parents[4] / "proto" / "iso8583" / "edc"
DIALECT = load_dialect(EDC)
GOLDEN = [golden.frame[7:] for golden in read_golden(EDC, DIALECT)]
REQUESTS = [message for message in GOLDEN if message[1] >> 4 in {0, 2}]
EXACT = ExactDecoder(DIALECT, reads_answers=False)
ORACLE = Pyiso8583Codec(DIALECT)

DIGITS = "0123456789"
ALPHANUMERIC = "ABCXYZabcxyz" + DIGITS
PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F))


def warm() -> Codec:
    """Return a codec that has a plan for the shape of every golden request."""
    codec = Codec(DIALECT)
    for message in REQUESTS:
        codec.decode(message)
    return codec


WARM = warm()


def values(field: Field) -> st.SearchStrategy[Plain]:
    """Give values that are right for a field."""
    least = field.length if field.is_fixed else (1 if field.cls == "n" else 0)
    most = min(field.length, 60)
    if field.format == "hhmmss":
        return st.times().map(lambda moment: f"{moment:%H%M%S}")
    if field.format == "MMDD":
        return st.dates().map(lambda day: f"{day:%m%d}")
    if field.cls == "b":
        return st.binary(min_size=least, max_size=most)
    if field.cls == "xn":
        digits = st.text(DIGITS, min_size=field.length - 1, max_size=field.length - 1)
        return st.tuples(st.sampled_from("CD"), digits).map("".join)
    if field.cls == "z":
        number = st.text(DIGITS, min_size=1, max_size=19)
        return st.tuples(number, st.just("D"), st.text(DIGITS, max_size=17)).map("".join)
    alphabet = {"n": DIGITS, "an": ALPHANUMERIC, "ans": PRINTABLE}[field.cls]
    return st.text(alphabet, min_size=least, max_size=most)


@st.composite
def messages(draw: st.DrawFn) -> tuple[str, dict[int, Plain]]:
    """Give right messages: STAN, and any other fields that edc knows."""
    others = st.sets(st.sampled_from(sorted(DIALECT.fields.keys() - {11})), max_size=18)
    numbers = sorted({11} | draw(others))
    mti = draw(st.sampled_from(["0100", "0200", "0201", "0400", "0421", "0600", "0800"]))
    return mti, {number: draw(values(DIALECT.fields[number])) for number in numbers}


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """Give golden messages with some bytes changed, lost or added."""
    message = bytearray(draw(st.sampled_from(REQUESTS)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(message) - 1, 0)))
        match draw(st.sampled_from(["change", "lose", "add", "cut"])):
            case "change":
                message[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case "lose":
                del message[at : at + draw(st.integers(1, 9))]
            case "add":
                message[at:at] = draw(st.binary(min_size=1, max_size=9))
            case _:
                del message[at:]
    return bytes(message)


def outcome(decode: Codec | ExactDecoder, message: bytes) -> object:
    """Return all that a decoder says of a message, or why it is dropped."""
    try:
        found = decode.decode(message)
    except DecodeFault as fault:
        return fault.reason, fault.field
    return (
        found.mti,
        found.fields,
        found.misformed,
        found.broken,
        found.broken_field,
        found.has_second_bitmap,
    )


class TestRightMessages:
    @PATIENT
    @given(messages())
    def test_come_back_as_they_were_written(self, sent: tuple[str, dict[int, Plain]]) -> None:
        """Encode and decode, exactly and by plan, plain and wrapped, lose nothing."""
        mti, fields = sent
        codec = Codec(DIALECT)
        message = codec.encode(mti, fields)

        for found in (codec.decode(message), codec.decode(message)):
            assert (None, frozenset()) == (found.broken, found.misformed)
            assert sent == (found.mti, {each: plain(value) for each, value in found.fields.items()})
            assert message == codec.encode(mti, found.fields)

    @PATIENT
    @given(messages())
    def test_are_read_and_written_alike_by_pyiso8583(
        self, sent: tuple[str, dict[int, Plain]]
    ) -> None:
        """The oracle writes the same bytes and reads the same values."""
        mti, fields = sent
        message = Codec(DIALECT).encode(mti, fields)

        assert message == ORACLE.encode(mti, fields)
        assert (mti, fields) == ORACLE.decode(message)

    @PATIENT
    @given(messages(), st.data())
    def test_are_never_taken_for_shorter_ones(
        self, sent: tuple[str, dict[int, Plain]], data: st.DataObject
    ) -> None:
        """A message cut anywhere is broken or dropped, never read as whole."""
        message = Codec(DIALECT).encode(*sent)
        cut = message[: data.draw(st.integers(0, len(message) - 1))]

        try:
            found = Codec(DIALECT).decode(cut)
        except DecodeFault:
            return
        assert found.broken is not None


class TestAnyBytes:
    @PATIENT
    @given(st.binary(max_size=200))
    def test_are_a_message_or_a_fault(self, message: bytes) -> None:
        """Nothing else ever leaves the decoder."""
        assert outcome(EXACT, message) == outcome(WARM, message)

    @PATIENT
    @given(st.sampled_from(["0200", "0800"]), st.binary(min_size=8, max_size=150))
    def test_behind_a_known_type_are_a_message_or_a_fault(self, mti: str, rest: bytes) -> None:
        """Past the first check most bytes get further."""
        message = bytes.fromhex(mti) + rest

        assert outcome(EXACT, message) == outcome(WARM, message)

    @PATIENT
    @given(spoiled())
    def test_that_were_nearly_right_are_read_alike_by_plan_and_exactly(
        self, message: bytes
    ) -> None:
        """A plan never says other than the exact decoder, whatever was spoiled."""
        assert outcome(EXACT, message) == outcome(WARM, message)

    @PATIENT
    @given(spoiled())
    def test_that_pyiso8583_reads_hold_the_same_values(self, message: bytes) -> None:
        """Where both read, they agree on every value that we did not set aside."""
        try:
            _, theirs = ORACLE.decode(message)
            ours = WARM.decode(message)
        except DecodeFault:
            return
        assert ours.broken is None or ours.broken == "bit_65"
        for number, value in ours.fields.items():
            assert theirs.get(number, "") == plain(value)


class TestAnswers:
    @PATIENT
    @given(spoiled())
    def test_can_be_written_for_whatever_was_read(self, message: bytes) -> None:
        """Judging, echoing and showing never fail, and the answer names its request."""
        try:
            found = WARM.decode(message)
        except DecodeFault:
            return
        form = check_form(found, DIALECT)
        echoed: dict[int, FieldValue] = Answers().echo(found, form.spec)
        echoed[39] = "30"

        answer = Codec(DIALECT, reads_answers=True).decode(
            WARM.encode(answer_mti(found.mti), echoed)
        )

        assert (None, frozenset()) == (answer.broken, answer.misformed)
        assert echoed == answer.fields
        assert found.fields[11] == answer.fields[11]
        assert describe(found, DIALECT)

    @PATIENT
    @given(spoiled())
    def test_never_let_a_card_number_out(self, message: bytes) -> None:
        """Neither a message nor its secrets nor a fault shows the middle of a card number."""
        try:
            found: Message = WARM.decode(message)
        except DecodeFault as fault:
            texts = [repr(fault), str(fault)]
        else:
            texts = [repr(found), repr([found.fields[n] for n in (2, 35) if n in found.fields])]
        assert not any("9990000000" in text for text in texts)
