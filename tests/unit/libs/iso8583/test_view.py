"""A message as a person reads it: masked, with meanings."""

from collections.abc import Callable

import pytest

from libs.iso8583 import Codec, Dialect, FieldValue, Row, describe

Build = Callable[..., dict[int, FieldValue]]
Show = Callable[..., dict[int, Row]]


@pytest.fixture
def show(dialect: Dialect, a_purchase: Build) -> Show:
    """Give ``show(changes, mti)``: the rows of a changed purchase by field."""
    codec = Codec(dialect, reads_answers=True)

    def rows(
        changes: dict[int, FieldValue | None] | None = None, mti: str = "0200"
    ) -> dict[int, Row]:
        message = codec.decode(codec.encode(mti, a_purchase(changes)))
        return {row.number: row for row in describe(message, dialect)}

    return rows


class TestDescribe:
    def test_shows_rows_in_ascending_order(self, show: Show) -> None:
        """The message type first, then each field that is there."""
        assert [0, 2, 3, 4, 11, 12, 13, 22, 24, 41, 42, 49] == list(show())

    def test_masks_every_secret(self, show: Show) -> None:
        """Card number, tracks, PIN block, chip data, MAC and what looks like a card number."""
        rows = show(
            {
                35: "9360099900000016D30122010000000000",
                45: "B9360099900000016^NAME^3012",
                48: "XX169360099900000016",
                52: bytes.fromhex("a1b2c3d4e5f60718"),
                53: "2001010100000000",
                55: bytes.fromhex("5a089360099900000016"),
                62: "card 9360099900000016!",
                64: bytes.fromhex("0102030405060708"),
                120: "9360099900000016",
            }
        )

        text = " ".join(f"{row.value} {row.meaning}" for row in rows.values())
        assert "9900000016" not in text
        assert "a1b2" not in text
        assert "0102030405" not in text
        assert "2001010100000000" not in text
        assert ("936009******0016", "936009******0016D***") == (rows[2].value, rows[35].value)
        assert ["***"] * 5 == [rows[number].value for number in (45, 52, 53, 55, 64)]
        assert "XX16936009******0016" == rows[48].value
        assert "card 936009******0016!" == rows[62].value

    @pytest.mark.parametrize(
        ("number", "value", "meaning"),
        [
            (3, "000000", "purchase"),
            (3, "310000", "balance inquiry"),
            (3, "770000", "unknown"),
            (4, "000005000000", "Rp 50.000,00"),
            (7, "1124011500", "24 Nov 01:15:00 GMT"),
            (7, "9924011500", "24 of no month 01:15:00 GMT"),
            (12, "101500", "10:15:00"),
            (13, "1124", "24 Nov"),
            (14, "3012", "Dec 2030"),
            (22, "051", "chip, PIN possible"),
            (22, "072", "contactless chip, no PIN pad"),
            (22, "990", "unknown"),
            (25, "00", "normal"),
            (35, "9360099900000016D3012", "expiry 3012"),
            (39, "51", "not enough money"),
            (39, "77", "unknown code"),
            (48, "GC160001000003000000", "goods class 0001 Rp 30.000,00"),
            (48, "PS36650001000003000000600000000002000000",
             "restricted purse 0001 paid Rp 30.000,00; own purse paid Rp 20.000,00"),
            (48, "no tags", "not as this dialect writes it"),
            (49, "360", "rupiah"),
            (49, "840", "not served"),
            (54, "6002360C0000950000006502360D000000000001",
             "own purse Rp 950.000,00; restricted purse -Rp 0,01"),
            (54, "x", "not as this dialect writes it"),
            (70, "001", "sign-on"),
            (70, "301", "echo"),
            (70, "161", "unknown code"),
            (41, "LSK00001", ""),
        ],
    )  # fmt: skip
    def test_says_what_it_means(self, show: Show, number: int, value: str, meaning: str) -> None:
        """Codes, amounts, dates and lists in words."""
        assert meaning == show({number: value})[number].meaning

    @pytest.mark.parametrize(
        ("mti", "meaning"),
        [
            ("0200", "financial request"),
            ("0201", "financial request, repeat"),
            ("0210", "financial request answer"),
            ("0421", "reversal advice, repeat"),
            ("0810", "network request answer"),
            ("0762", "unknown message of the issuer"),
        ],
    )
    def test_says_what_the_type_means(self, show: Show, mti: str, meaning: str) -> None:
        """Class, function and origin in words."""
        assert (mti, meaning) == (show(mti=mti)[0].value, show(mti=mti)[0].meaning)

    def test_says_what_was_wrong(self, dialect: Dialect, codec: Codec, a_purchase: Build) -> None:
        """A misformed value is named and hidden; a break stands last."""
        broken = codec.encode("0200", a_purchase({12: "999999"})) + b"\x00"

        rows = describe(codec.decode(broken), dialect)

        assert Row(12, "Local time", "***", "misformed") in rows
        assert Row(49, "Broken here", "", "bytes_after") == rows[-1]
