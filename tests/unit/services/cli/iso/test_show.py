"""Pasted hex is read in every usual form, and shown masked."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from libs.iso8583 import Codec, request_frame
from services.cli.faults import CommandRefused
from services.cli.iso.requests import TPDU, Operation, Wish, build_request
from services.cli.iso.show import (
    decode_hex,
    edc_dialect,
    message_json,
    parse_hex,
    show_message,
    strip_frame,
)

PAN = "9360099900000016"


def a_message() -> bytes:
    wish = Wish(
        operation=Operation.PURCHASE, terminal="LSK00001", outlet="BUMA00000000001", stan=7,
        local=datetime(2026, 11, 24, tzinfo=UTC), pan=PAN, amount_minor=5_000_000,
    )  # fmt: skip
    return Codec(edc_dialect()).encode(*build_request(wish))


class TestStripFrame:
    def test_takes_off_length_and_tpdu(self) -> None:
        """A whole frame, a frame without length and a bare message give the same message."""
        dialect, message = edc_dialect(), a_message()
        whole = request_frame(TPDU, message)

        found = [strip_frame(data, dialect) for data in (whole, whole[2:], message)]

        assert [message] * 3 == [each.message for each in found]
        assert [True, False, False] == [each.had_length for each in found]
        assert [TPDU.hex(), TPDU.hex(), ""] == [each.tpdu for each in found]


class TestParseHex:
    def test_takes_hex_as_people_paste_it(self) -> None:
        """Blanks, line ends, colons and 0x do not matter."""
        assert b"\x02\x00\xab" == parse_hex(" 0x02 00\n:aB")

    def test_refuses_what_is_no_hex(self) -> None:
        """An odd digit or another letter is refused without repeating the input."""
        with pytest.raises(CommandRefused, match="no hex") as caught:
            parse_hex(PAN + "x")
        assert PAN not in str(caught.value)


class TestShowMessage:
    def test_masks_the_card_for_people_and_machines(self) -> None:
        """Neither table nor JSON holds the card number; both name the fields."""
        dialect = edc_dialect()
        _, message = decode_hex(a_message().hex(), dialect)
        out = io.StringIO()

        show_message(Console(file=out, width=132), message, dialect, title="")
        machine = message_json(message, dialect)

        assert PAN not in out.getvalue() + str(machine)
        assert "936009******0016" in out.getvalue()
        assert "0200" == machine["mti"]
