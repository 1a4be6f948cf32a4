"""An EDC's bytes, written from edc.md alone: the wire has a second reader that shares no code."""

from collections.abc import Mapping
from typing import Final, NamedTuple

TPDU: Final = bytes.fromhex("6000030000")
TPDU_BACK: Final = bytes.fromhex("6000000003")
"""The TPDU of an answer: destination and origin have changed places."""

TPDU_AT: Final = 2
MTI_AT: Final = 7
BITMAP_AT: Final = 9
FIELDS_AT: Final = 17
BODY_END: Final = 43
"""End of DE13 where DE2 (16 digits), 3, 4, 11, 12, 13 stand first: asked and answered alike."""
BODY_END_WITHOUT_AMOUNT: Final = 37

BCD: Final = "bcd"  # Fixed digits, packed; an odd count is padded left.
LL_BCD: Final = "llbcd"  # Digits with their count, packed; an odd count is padded right.
TEXT: Final = "text"  # Fixed ASCII.
LLL_TEXT: Final = "llltext"  # ASCII with its count.
BINARY: Final = "binary"  # Fixed bytes, given and shown as hex.
LLL_BINARY: Final = "lllbinary"

FORMS: Final[Mapping[int, tuple[str, int]]] = {
    2: (LL_BCD, 19), 3: (BCD, 6), 4: (BCD, 12), 7: (BCD, 10), 11: (BCD, 6), 12: (BCD, 6),
    13: (BCD, 4), 14: (BCD, 4), 22: (BCD, 3), 23: (BCD, 3), 24: (BCD, 3), 25: (BCD, 2),
    32: (LL_BCD, 11), 35: (LL_BCD, 37), 37: (TEXT, 12), 38: (TEXT, 6), 39: (TEXT, 2),
    41: (TEXT, 8), 42: (TEXT, 15), 48: (LLL_TEXT, 999), 49: (TEXT, 3), 52: (BINARY, 8),
    53: (BCD, 16), 54: (LLL_TEXT, 999), 55: (LLL_BINARY, 999), 60: (LLL_TEXT, 999),
    61: (LLL_TEXT, 999), 62: (LLL_TEXT, 999), 63: (LLL_TEXT, 999), 64: (BINARY, 8),
    70: (BCD, 3),
}  # fmt: skip
"""Form and size (digits, characters, bytes) of the fields that edc.md lists."""


class Layout(NamedTuple):
    """Where an answer with a certain bitmap holds what its terminal looks at."""

    stan: int
    rrn: int  # From here to the end of DE39 a repeat must hear the same again.
    code: int
    terminal: int


def pack_digits(digits: str) -> bytes:
    """Pack digits two to a byte, an odd count padded left with 0."""
    return bytes.fromhex(digits if len(digits) % 2 == 0 else "0" + digits)


def encode_field(number: int, value: str) -> bytes:
    """Write one field in its form; values are digits, ASCII text or hex."""
    form, size = FORMS[number]
    if form == BCD:
        return pack_digits(value.rjust(size, "0"))
    if form == LL_BCD:
        return pack_digits(f"{len(value):02d}") + bytes.fromhex(value + "0" * (len(value) % 2))
    if form == TEXT:
        return value.ljust(size).encode("ascii")
    if form == BINARY:
        return bytes.fromhex(value)
    payload = bytes.fromhex(value) if form == LLL_BINARY else value.encode("ascii")
    return pack_digits(f"{len(payload):04d}") + payload


def encode_frame(mti: str, fields: Mapping[int, str], tpdu: bytes = TPDU) -> bytes:
    """Write a whole frame: length, TPDU, MTI, bitmap, fields in order."""
    width = 128 if max(fields, default=0) > 64 else 64  # noqa: PLR2004 -- bits of one bitmap
    bits = sum(1 << (width - number) for number in fields)
    if width == 128:  # noqa: PLR2004 -- both bitmaps
        bits |= 1 << (width - 1)
    message = pack_digits(mti) + bits.to_bytes(width // 8, "big")
    message += b"".join(encode_field(number, fields[number]) for number in sorted(fields))
    return (len(tpdu) + len(message)).to_bytes(2, "big") + tpdu + message


def field_end(data: bytes, number: int, at: int) -> int:
    """Return where a field that starts at ``at`` ends; ``KeyError`` for one not in edc.md."""
    form, size = FORMS[number]
    if form == BCD:
        return at + (size + 1) // 2
    if form in (TEXT, BINARY):
        return at + size
    if form == LL_BCD:
        return at + 1 + (int(data[at : at + 1].hex()) + 1) // 2
    return at + 2 + int(data[at : at + 2].hex())


def _read(data: bytes, number: int, at: int, end: int) -> str:
    form, size = FORMS[number]
    if form == BCD:
        return data[at:end].hex()[-size:]
    if form == LL_BCD:
        return data[at + 1 : end].hex()[: int(data[at : at + 1].hex())]
    if form == TEXT:
        return data[at:end].decode("ascii")
    if form == LLL_TEXT:
        return data[at + 2 : end].decode("ascii")
    return data[at + (2 if form == LLL_BINARY else 0) : end].hex()


def numbers_in(bitmap: bytes) -> list[int]:
    """Return the numbers of the fields that a bitmap announces, without bit 1 itself."""
    bits, width = int.from_bytes(bitmap, "big"), len(bitmap) * 8
    return [number for number in range(2, width + 1) if bits >> (width - number) & 1]


def decode_frame(frame: bytes) -> tuple[str, dict[int, str]]:
    """Read a frame's MTI and fields; ``ValueError`` or ``KeyError`` when it is no edc frame."""
    at = FIELDS_AT + 8 if frame[BITMAP_AT] & 0x80 else FIELDS_AT
    fields = {}
    for number in numbers_in(frame[BITMAP_AT:at]):
        end = field_end(frame, number, at)
        if end > len(frame):
            message = f"DE{number} ends past the frame"
            raise ValueError(message)
        fields[number] = _read(frame, number, at, end)
        at = end
    if at != len(frame):
        message = f"{len(frame) - at} bytes after the last field"
        raise ValueError(message)
    return frame[MTI_AT:BITMAP_AT].hex(), fields


def layout_of(frame: bytes) -> Layout | None:
    """Find where an answer holds DE11, DE37, DE39 and DE41; None when one of 11, 39, 41 lacks.

    Holds for every answer with the same bitmap as long as DE2 has the same length, since no other
    field of variable length stands before DE41.
    """
    found, at = {}, FIELDS_AT
    for number in numbers_in(frame[BITMAP_AT:FIELDS_AT]):
        found[number] = at
        at = field_end(frame, number, at)
    if not {11, 39, 41} <= found.keys():
        return None
    return Layout(found[11], found.get(37, found[39]), found[39], found[41])


def pan_of(serial: int) -> str:
    """Return the demo card's number (edc.md, Demo data): prefix, serial, Luhn digit."""
    digits = f"93600999{serial:07d}"
    doubled = [int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(digits))]
    return digits + str(-sum(value - 9 * (value > 9) for value in doubled) % 10)  # noqa: PLR2004 -- one digit
