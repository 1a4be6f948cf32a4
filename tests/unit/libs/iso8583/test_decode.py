"""What of a message is read, set aside, broken off or dropped: edc.md, one rule at a time."""

from collections.abc import Callable

import pytest

from libs.iso8583 import Codec, DecodeFault, FieldValue, Message, Pan, Sealed, Track2

Build = Callable[..., dict[int, FieldValue]]


@pytest.fixture
def frame(codec: Codec, a_purchase: Build) -> bytes:
    """Give the bytes of a usual purchase, met once, so that its plan exists."""
    message = codec.encode("0200", a_purchase())
    codec.decode(message)
    return message


def raw(mti: str, bitmap: str, rest: str) -> bytes:
    """Write a message by hand: all three parts in hexadecimal."""
    return bytes.fromhex(mti + bitmap + rest)


def reason_of(codec: Codec, message: bytes) -> tuple[str, int]:
    """Return why a message is dropped, and check that nothing hangs on the fault."""
    with pytest.raises(DecodeFault) as caught:
        codec.decode(message)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value.reason, caught.value.field


def bitmap_of(*numbers: int) -> str:
    """Write a bitmap in hexadecimal; the second only when a number needs it."""
    width = 128 if max(numbers) > 64 else 64
    bits = sum(1 << (width - number) for number in numbers)
    if width == 128:
        bits |= 1 << 127
    return f"{bits:0{width // 4}x}"


TERMINAL = b"LSK00001".hex()


class TestGoodMessage:
    def test_reads_every_field(self, codec: Codec, a_purchase: Build) -> None:
        """First met or met before, the same values come out, secrets wrapped."""
        fields = a_purchase({35: "9360099900000016D3012", 52: b"12345678", 62: "000001"})
        message = codec.encode("0200", fields)

        first, again = codec.decode(message), codec.decode(message)

        wrapped = {
            2: Pan("9360099900000016"),
            35: Track2("9360099900000016D3012"),
            52: Sealed(b"12345678"),
        }
        for found in (first, again):
            assert "0200" == found.mti
            assert {**fields, **wrapped} == found.fields
            assert frozenset() == found.misformed
            assert found.broken is None
            assert not found.has_second_bitmap

    def test_prints_no_value(self, codec: Codec, frame: bytes) -> None:
        """A message may stand in any log: it shows its type and which fields it has."""
        expected = "<Message 0200 fields 2,3,4,11,12,13,22,24,41,42,49>"

        assert expected == repr(codec.decode(frame))

    def test_accepts_an_empty_second_bitmap(self, codec: Codec, frame: bytes) -> None:
        """Bit 1 without further fields is read; it says where a MAC would stand."""
        two = frame[:2] + bytes([frame[2] | 0x80]) + frame[3:10] + bytes(8) + frame[10:]

        found = [codec.decode(two) for _ in range(2)]

        assert all(codec.decode(frame).fields == message.fields for message in found)
        assert all(message.has_second_bitmap for message in found)

    @pytest.mark.parametrize("filling", ["0", "f", "F"])
    def test_accepts_both_fillings(self, codec: Codec, a_purchase: Build, filling: str) -> None:
        """An odd DE2 or DE35 may be filled with 0 or F."""
        fields = a_purchase(
            {2: "936009990000000012345"[:19], 35: "936009990000000012345"[:15] + "D"}
        )
        fields[35] = "93600999000000001D3"
        message = codec.encode("0200", fields).hex()
        message = message.replace("9360099900000000123" + "0", "9360099900000000123" + filling)
        message = message.replace("93600999000000001d3" + "0", "93600999000000001d3" + filling)

        found = [codec.decode(bytes.fromhex(message)) for _ in range(2)]

        assert all(Pan("9360099900000000123") == each.fields[2] for each in found)
        assert all(Track2("93600999000000001D3") == each.fields[35] for each in found)

    def test_reads_past_fields_that_nobody_uses(self, codec: Codec, a_purchase: Build) -> None:
        """Signed amounts, track 1 and others keep their extent and are wrapped where secret."""
        extra: dict[int, FieldValue | None] = {
            28: "D00000150",
            45: "B9360099900000016^NAME^3012",
            90: "0" * 42,
            97: "C0000000000000001",
            102: "1234567890",
        }

        found = codec.decode(codec.encode("0200", a_purchase(extra)))

        assert "D00000150" == found.fields[28]
        assert "C0000000000000001" == found.fields[97]
        assert Sealed("B9360099900000016^NAME^3012") == found.fields[45]
        assert Sealed("1234567890") == found.fields[102]

    def test_accepts_blanks_that_fill_a_text(self, codec: Codec, a_purchase: Build) -> None:
        """Class an is filled with blanks at the right."""
        found = codec.decode(codec.encode("0200", a_purchase({37: "1234        "})))

        assert "1234        " == found.fields[37]


class TestMisformed:
    @pytest.mark.parametrize(
        ("number", "value", "written"),
        [
            (4, "000005000000", "00000500000a"),
            (3, "009876", "00987f"),
            (22, "051", "1051"),
            (24, "003", "000d"),
            (2, "9360099900000016", "936009990000001b"),
        ],
    )
    def test_sets_a_bad_nibble_aside(
        self, codec: Codec, a_purchase: Build, number: int, value: str, written: str
    ) -> None:
        """A nibble A to F in a number, or a filling that is not 0: the rest is still read."""
        good = codec.encode("0200", a_purchase({number: value}))
        codec.decode(good)
        digits = "0" + value if len(value) % 2 else value
        message = bytes.fromhex(good.hex().replace(digits, written, 1))
        assert message != good

        found = codec.decode(message)

        assert frozenset({number}) == found.misformed
        assert number not in found.fields
        assert found.broken is None
        assert "LSK00001" == found.fields[41]

    @pytest.mark.parametrize(
        ("number", "value"),
        [
            (12, "240000"),
            (12, "236000"),
            (12, "235960"),
            (13, "0230"),
            (13, "1301"),
            (13, "0100"),
            (13, "0001"),
            (37, "12345678901!"),
            (37, "            "),
            (49, "3 0"),
            (62, "\x00\x01"),
            (48, "caf\x7f"),
        ],
    )
    def test_sets_a_value_of_the_wrong_class_aside(
        self, codec: Codec, a_purchase: Build, number: int, value: str
    ) -> None:
        """No time, no date, no letter or digit, not printable."""
        message = codec.encode("0200", a_purchase({number: value}))

        found = [codec.decode(message) for _ in range(2)]

        assert all(frozenset({number}) == each.misformed for each in found)

    @pytest.mark.parametrize(
        ("number", "value"), [(12, "000000"), (12, "235959"), (13, "0229"), (13, "1231")]
    )
    def test_accepts_the_edges_of_time_and_date(
        self, codec: Codec, a_purchase: Build, number: int, value: str
    ) -> None:
        """Midnight, its last second, and the day that only some years have."""
        found = codec.decode(codec.encode("0200", a_purchase({number: value})))

        assert value == found.fields[number]

    @pytest.mark.parametrize(
        "track", ["9360099900000016", "D3012", "9360099900000016D30A2", "93600999A0000016D3012"]
    )
    def test_sets_a_track_without_its_parts_aside(
        self, codec: Codec, a_purchase: Build, track: str
    ) -> None:
        """No separator, no number, or another nibble than a digit."""
        body = codec.encode("0200", a_purchase({2: None, 35: "1D"})).hex()
        written = f"{len(track):02d}{track}{'0' * (len(track) % 2)}".lower()
        message = bytes.fromhex(body.replace("021d", written, 1))

        assert frozenset({35}) == codec.decode(message).misformed

    @pytest.mark.parametrize("number", [2, 35])
    def test_sets_an_empty_card_aside(self, codec: Codec, number: int) -> None:
        """Length 0 is a known extent without a value."""
        numbers = sorted([number, 11, 41])
        values = {number: "00", 11: "000001", 41: TERMINAL}
        rest = "".join(values[each] for each in numbers)

        found = codec.decode(raw("0200", bitmap_of(*numbers), rest))

        assert frozenset({number}) == found.misformed

    @pytest.mark.parametrize("filling", ["1", "a"])
    def test_sets_another_filling_aside(self, codec: Codec, filling: str) -> None:
        """Only 0 and F fill an odd card number."""
        rest = f"03123{filling}000001{TERMINAL}"

        found = codec.decode(raw("0200", bitmap_of(2, 11, 41), rest))

        assert frozenset({2}) == found.misformed


class TestBroken:
    @pytest.mark.parametrize(
        ("tail", "reason"),
        [
            ("99", "length_past_end"),
            ("", "length_past_end"),
            ("0", "length_past_end"),
            ("0003" + "4142", "length_past_end"),
            ("1000", "length_over_maximum"),
            ("9999", "length_over_maximum"),
            ("000a", "length_not_digits"),
            ("a000", "length_not_digits"),
        ],
    )
    def test_tells_a_break_behind_the_terminal(self, codec: Codec, tail: str, reason: str) -> None:
        """STAN and terminal were read: the message is answered, without what follows the break."""
        rest = f"000001{TERMINAL}{tail if len(tail) % 2 == 0 else ''}"

        found = codec.decode(raw("0200", bitmap_of(11, 41, 48, 49), rest))

        assert (reason, 48) == (found.broken, found.broken_field)
        assert {11: "000001", 41: "LSK00001"} == found.fields

    def test_tells_a_break_of_a_message_met_before(self, codec: Codec, frame: bytes) -> None:
        """The fast way gives up where the exact one says why."""
        found = codec.decode(frame[:-1])

        assert ("length_past_end", 49) == (found.broken, found.broken_field)
        assert "LSK00001" == found.fields[41]
        assert 49 not in found.fields

    def test_tells_bytes_after_the_last_field(self, codec: Codec, frame: bytes) -> None:
        """Nothing may follow; everything in front was read."""
        found = codec.decode(frame + b"\x00")

        assert ("bytes_after", 49) == (found.broken, found.broken_field)
        assert "360" == found.fields[49]

    def test_stops_at_bit_65(self, codec: Codec) -> None:
        """A third bitmap is never accepted; what stood in front of its bit was read."""
        rest = f"000001{TERMINAL}" + "00" * 9

        found = codec.decode(raw("0200", bitmap_of(11, 41, 65, 70), rest))

        assert ("bit_65", 65) == (found.broken, found.broken_field)
        assert {11: "000001", 41: "LSK00001"} == found.fields

    @pytest.mark.parametrize(
        ("numbers", "rest", "dropped"),
        [
            ((2, 11, 41), "20" + "00" * 20, ("length_over_maximum", 2)),
            ((2, 11, 41), "1a" + "00" * 20, ("length_not_digits", 2)),
            ((11, 35, 41), "000001" + "38" + "00" * 30, ("length_over_maximum", 35)),
            ((11, 41), "000001" + TERMINAL[:-2], ("length_past_end", 41)),
            ((11, 48), "000001" + "0005", ("length_past_end", 48)),
            ((41, 48), TERMINAL + "0005", ("length_past_end", 48)),
            ((4, 11, 41), "0000", ("length_past_end", 4)),
        ],
    )
    def test_drops_a_break_before_stan_and_terminal_are_read(
        self, codec: Codec, numbers: tuple[int, ...], rest: str, dropped: tuple[str, int]
    ) -> None:
        """Nobody could match the answer."""
        assert dropped == reason_of(codec, raw("0200", bitmap_of(*numbers), rest))


# A shape with every kind of field that a plan reads in its own way, in hexadecimal by field.
SHAPE = {
    2: "16" + "9360099900000016",
    3: "000000",
    11: "000001",
    12: "101500",
    13: "1124",
    22: "0051",
    32: "03" + "1230",
    35: "21" + "9360099900000016d30120",
    37: b"ABCDEF123456".hex(),
    41: TERMINAL,
    48: "0004" + b"XX00".hex(),
    52: "a1b2c3d4e5f60718",
    53: "2001010100000000",
    55: "0002" + "9f26",
    62: "0000",
}


class TestMetBefore:
    @pytest.mark.parametrize(
        ("number", "written"),
        [
            (2, "15" + "936009990000001a"),
            (2, "16" + "936009990000001b"),
            (2, "00"),
            (3, "00000a"),
            (12, "240000"),
            (13, "0230"),
            (22, "1051"),
            (22, "005a"),
            (32, "03" + "1231"),
            (32, "04" + "12a0"),
            (35, "21" + "9360099900000016330120"),
            (35, "21" + "9360099900000016d30a20"),
            (35, "21" + "9360099900000016d30121"),
            (37, b"ABCDEF1234 !".hex()),
            (37, b"ABCDEF12345\xe9".hex()),
            (48, "0004" + b"XX0\x7f".hex()),
            (48, "0004" + b"XX0\xe9".hex()),
            (53, "200101010000000f"),
            (62, "0001" + "0a"),
        ],
    )
    def test_sets_a_bad_value_aside(self, codec: Codec, number: int, written: str) -> None:
        """A plan does not take what the exact decoder sets aside."""
        codec.decode(raw("0200", bitmap_of(*SHAPE), "".join(SHAPE.values())))

        spoiled = {**SHAPE, number: written}
        found = codec.decode(raw("0200", bitmap_of(*SHAPE), "".join(spoiled.values())))

        assert frozenset({number}) == found.misformed
        assert SHAPE.keys() - {number} == found.fields.keys()
        assert found.broken is None

    @pytest.mark.parametrize(
        ("number", "written", "reason"),
        [
            (48, "000a", "length_not_digits"),
            (48, "a000", "length_not_digits"),
            (48, "1000" + "20" * 1000, "length_over_maximum"),
            (55, "000a", "length_not_digits"),
            (62, "00a0", "length_not_digits"),
            (62, "0001", "length_past_end"),
            (62, "00", "length_past_end"),
        ],
    )
    def test_breaks_off_at_a_bad_length(
        self, codec: Codec, number: int, written: str, reason: str
    ) -> None:
        """A plan does not take what the exact decoder breaks off."""
        codec.decode(raw("0200", bitmap_of(*SHAPE), "".join(SHAPE.values())))

        spoiled = {**SHAPE, number: written}
        found = codec.decode(raw("0200", bitmap_of(*SHAPE), "".join(spoiled.values())))

        assert (reason, number) == (found.broken, found.broken_field)
        assert {each for each in SHAPE if each < number} == found.fields.keys()

    @pytest.mark.parametrize(
        ("number", "written", "reason"),
        [
            (2, "20" + "93600999000000160000", "length_over_maximum"),
            (2, "1a" + "9360099900000016", "length_not_digits"),
            (35, "38" + "9360099900000016d" + "1" * 21, "length_over_maximum"),
            (32, "12" + "123456789012", "length_over_maximum"),
        ],
    )
    def test_drops_at_a_bad_length_before_the_terminal(
        self, codec: Codec, number: int, written: str, reason: str
    ) -> None:
        """A plan does not take what the exact decoder drops."""
        codec.decode(raw("0200", bitmap_of(*SHAPE), "".join(SHAPE.values())))

        spoiled = {**SHAPE, number: written}
        message = raw("0200", bitmap_of(*SHAPE), "".join(spoiled.values()))

        assert (reason, number) == reason_of(codec, message)

    @pytest.mark.parametrize("field", [(11, "00000a"), (41, b"LSK\x000001".hex())])
    def test_drops_a_misformed_stan_or_terminal(self, codec: Codec, field: tuple[int, str]) -> None:
        """As when it is met first."""
        codec.decode(raw("0200", bitmap_of(*SHAPE), "".join(SHAPE.values())))

        spoiled = {**SHAPE, field[0]: field[1]}
        message = raw("0200", bitmap_of(*SHAPE), "".join(spoiled.values()))

        assert ("misformed", field[0]) == reason_of(codec, message)


class TestDropped:
    @pytest.mark.parametrize(
        ("mti", "reason"),
        [
            ("0210", "mti_answer"),
            ("0810", "mti_answer"),
            ("0430", "mti_answer"),
            ("0250", "mti_answer"),
            ("1200", "mti_version"),
            ("2200", "mti_version"),
            ("0900", "mti_class"),
            ("0a00", "mti_not_digits"),
            ("020f", "mti_not_digits"),
        ],
    )
    def test_drops_types_that_are_no_request_of_this_version(
        self, codec: Codec, frame: bytes, mti: str, reason: str
    ) -> None:
        """Answers, other versions, class 9, and what is no number."""
        assert (reason, 0) == reason_of(codec, bytes.fromhex(mti) + frame[2:])

    def test_reads_answers_for_those_who_ask(self, dialect: object, frame: bytes) -> None:
        """Terminals and tools read what the switch drops."""
        terminal = Codec(dialect, reads_answers=True)  # type: ignore[arg-type]  # It is one.

        assert "0210" == terminal.decode(b"\x02\x10" + frame[2:]).mti

    def test_reads_a_type_that_nobody_serves(self, codec: Codec, frame: bytes) -> None:
        """An unknown request is answered 12 elsewhere; here it is a message."""
        assert "0500" == codec.decode(b"\x05\x00" + frame[2:]).mti

    def test_drops_a_message_without_stan(self, codec: Codec) -> None:
        """Complete and without DE11: nobody could match the answer."""
        assert ("missing", 11) == reason_of(codec, raw("0800", bitmap_of(41), TERMINAL))

    def test_reads_a_message_without_terminal(self, codec: Codec) -> None:
        """A missing DE41 is a missing mandatory field, which is answered."""
        found = codec.decode(raw("0800", bitmap_of(11), "000001"))

        assert {11: "000001"} == found.fields
        assert found.broken is None

    @pytest.mark.parametrize(
        ("rest", "field"),
        [("00000a" + TERMINAL, 11), ("000001" + b"LSK\x000001".hex(), 41)],
    )
    def test_drops_a_misformed_stan_or_terminal(self, codec: Codec, rest: str, field: int) -> None:
        """The answer could not name what it answers."""
        assert ("misformed", field) == reason_of(codec, raw("0800", bitmap_of(11, 41), rest))

    @pytest.mark.parametrize("length", range(10))
    def test_drops_what_is_shorter_than_type_and_bitmap(
        self, codec: Codec, frame: bytes, length: int
    ) -> None:
        """Half a type or half a bitmap."""
        reason, _ = reason_of(codec, frame[:length])

        assert reason == ("mti_not_digits" if length < 2 else "bitmap_short")

    def test_drops_half_a_second_bitmap(self, codec: Codec) -> None:
        """Bit 1 promises eight more bytes."""
        message = raw("0800", "8020000000800000", "00" * 7)

        assert ("bitmap_short", 0) == reason_of(codec, message)

    def test_says_no_more_than_reason_and_field(self, codec: Codec) -> None:
        """The text of a fault may stand in any log."""
        with pytest.raises(DecodeFault, match=r"^length_over_maximum \(DE2\)$") as caught:
            codec.decode(raw("0200", bitmap_of(2, 11), "20" + "93600999" * 5))

        assert not caught.value.retriable
        assert ("length_over_maximum (DE2)",) == caught.value.args


def test_keeps_a_plan_only_of_a_clean_message(codec: Codec, a_purchase: Build) -> None:
    """What a bad message looks like says nothing of the next one with the same bitmap."""
    good = codec.encode("0200", a_purchase())
    for bad in (codec.encode("0200", a_purchase({12: "240000"})), good[:-1], good + b"\x00"):
        codec.decode(bad)
        assert {} == codec._steps

    codec.decode(good)

    assert [good[2:10]] == list(codec._steps)


def test_forgets_plans_before_they_grow(codec: Codec) -> None:
    """Bitmaps are chosen by others: a thousand shapes do not make the codec larger."""
    for bits in range(1000):
        numbers = [3 + bit for bit in range(5) if bits >> bit & 1]
        numbers += [14 + bit for bit in range(5) if bits >> (bit + 5) & 1]
        sizes = {3: 3, 4: 6, 5: 6, 6: 6, 7: 5, 14: 2, 15: 2, 16: 2, 17: 2, 18: 2, 11: 3}
        rest = "".join("00" * sizes[number] for number in sorted([*numbers, 11]))
        message: Message = codec.decode(raw("0800", bitmap_of(*numbers, 11), rest))
        assert len(numbers) + 1 == len(message.fields)

    assert len(codec._steps) <= 512
