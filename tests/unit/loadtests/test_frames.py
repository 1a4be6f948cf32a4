"""Frames of the load tests' own encoder, against hand-written bytes and another maker's library."""

import iso8583
import pytest

from loadtests.fleet import Fleet, today
from loadtests.frames import (
    BODY_END,
    FORMS,
    decode_frame,
    encode_frame,
    layout_of,
    pan_of,
)

PURCHASE = {
    2: "9360099900000016", 3: "000000", 4: "000005000000", 11: "000042", 12: "101500",
    13: "1124", 22: "051", 24: "003", 41: "LSK00001", 42: "BUMA00000000001",
}  # fmt: skip
GOLDEN = (
    "0044" "6000030000" "0200" "7038050000C00000"
    "169360099900000016" "000000" "000005000000" "000042" "101500" "1124" "0051" "0003"
    "4C534B3030303031" "42554D413030303030303030303031"
)  # fmt: skip

_ENCODINGS = {"bcd": "b", "llbcd": "b", "binary": "b", "lllbinary": "b"}
_LENGTHS = {"llbcd": 1, "llltext": 2, "lllbinary": 2}


def _spec() -> dict[str, dict[str, object]]:
    """Describe edc.md to pyiso8583."""
    spec: dict[str, dict[str, object]] = {
        name: {"data_enc": "b", "len_enc": "bcd", "len_type": 0, "max_len": size, "desc": name}
        for name, size in (("h", 0), ("t", 2), ("p", 8), ("1", 8))
    }
    for number, (form, size) in FORMS.items():
        is_nibbles = form in ("bcd", "llbcd")
        spec[str(number)] = {
            "data_enc": _ENCODINGS.get(form, "ascii"),
            "len_enc": "bcd",
            "len_type": _LENGTHS.get(form, 0),
            "max_len": size,
            "len_count": "nibbles" if is_nibbles else "bytes",
            "desc": str(number),
            **({"left_pad": "0"} if form == "bcd" else {"right_pad": "0"} if is_nibbles else {}),
        }
    return spec


class TestEncodeFrame:
    def test_writes_the_bytes_that_edc_md_says(self) -> None:
        """A purchase comes out byte for byte as written down by hand from the page."""
        assert bytes.fromhex(GOLDEN) == encode_frame("0200", PURCHASE)

    @pytest.mark.parametrize(
        "fields",
        [
            PURCHASE,
            PURCHASE | {48: "GC160001000000100000", 49: "360", 54: "6002360C000000000100"},
            PURCHASE | {2: "936009990000001", 35: "9360099900000016D3012101", 52: "00" * 8},
            {11: "000001", 41: "LSK00001", 70: "301"},
        ],
    )
    def test_agrees_with_another_makers_library(self, fields: dict[int, str]) -> None:
        """What pyiso8583 writes from the same table is what we write."""
        document = {"h": "", "t": "0800" if 70 in fields else "0200"}
        document |= {str(number): value for number, value in fields.items()}

        theirs, _ = iso8583.encode(document, _spec())

        assert bytes(theirs) == encode_frame(document["t"], fields)[7:]

    @pytest.mark.parametrize("fields", [PURCHASE, PURCHASE | {70: "001"}])
    def test_is_read_back(self, fields: dict[int, str]) -> None:
        """Decoding gives the fields that were encoded, also above field 64."""
        assert ("0200", fields) == decode_frame(encode_frame("0200", fields))


class TestDecodeFrame:
    @pytest.mark.parametrize("cut", [1, -1])
    def test_refuses_a_frame_of_another_length(self, cut: int) -> None:
        """A byte too few or too many is no frame."""
        frame = encode_frame("0210", PURCHASE | {39: "00"})

        with pytest.raises((ValueError, IndexError)):
            decode_frame(frame[:-1] if cut < 0 else frame + b"\x00")


class TestLayoutOf:
    @pytest.mark.parametrize("more", [{}, {37: "123456789012"}, {37: "1" * 12, 38: "123456"}])
    def test_finds_what_a_terminal_looks_at(self, more: dict[int, str]) -> None:
        """STAN, code and terminal are found whatever stands between them."""
        frame = encode_frame("0210", PURCHASE | {39: "51", 54: "6002360C000000000100"} | more)

        layout = layout_of(frame)

        assert layout is not None
        assert bytes.fromhex("000042") == frame[layout.stan : layout.stan + 3]
        assert b"51" == frame[layout.code : layout.code + 2]
        assert b"LSK00001" == frame[layout.terminal : layout.terminal + 8]
        assert "".join(more.values()).encode() == frame[layout.rrn : layout.code]

    def test_is_none_without_a_code(self) -> None:
        """An answer without DE39 has no layout."""
        assert layout_of(encode_frame("0210", PURCHASE)) is None


class TestPrebuiltRequests:
    def test_has_the_fields_of_a_purchase_where_they_are_patched(self) -> None:
        """DE2, 3, 4, 11, 12, 13 end where answers are compared up to."""
        frame = encode_frame("0200", PURCHASE)

        assert bytes.fromhex("1124") == frame[BODY_END - 2 : BODY_END]

    def test_keeps_terminals_and_outlets_together(self) -> None:
        """Terminal k is of outlet k, as the demo data say."""
        fleet = Fleet(12, today())

        assert b"LSK00012" == fleet.terminals[11].name
        assert b"BUMA00000000012" in fleet.terminals[11].tail


class TestPanOf:
    def test_gives_the_first_demo_card(self) -> None:
        """Serial 1 is the number that edc.md names."""
        assert "9360099900000016" == pan_of(1)
