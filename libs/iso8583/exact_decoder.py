"""Decode a message field by field, exactly as edc.md says what is answered and what is dropped."""

from collections.abc import Iterator
from typing import Final

from libs.iso8583.dialect import Dialect
from libs.iso8583.faults import DecodeFault
from libs.iso8583.field import THIRD_BITMAP
from libs.iso8583.field_reader import BreakInExtent, read_field
from libs.iso8583.message import FieldValue, Message

BIT_65: Final = "bit_65"
BYTES_AFTER: Final = "bytes_after"
FIELD_UNKNOWN: Final = "field_unknown"

STAN: Final = 11
TERMINAL: Final = 41
_NEEDED_TO_ANSWER: Final = (STAN, TERMINAL)
_BITMAP_BITS: Final = 64


class ExactDecoder:
    """The complete decoder: every break and every misformed value is told apart."""

    def __init__(self, dialect: Dialect, *, reads_answers: bool) -> None:
        self._fields = dialect.fields
        self._reads_answers = reads_answers
        self._version = dialect.messages.version
        self._dropped_classes = dialect.messages.dropped_classes
        self._packed_mti = dialect.coding.mti == "bcd"
        self._binary_bitmap = dialect.coding.bitmap == "binary"

    def mti_of(self, message: bytes) -> tuple[str, int]:
        """Return the message type and where the bitmap begins; else ``DecodeFault``."""
        end = 2 if self._packed_mti else 4
        mti = message[:end].hex() if self._packed_mti else message[:end].decode("latin-1")
        if len(message) < end or not (mti.isdigit() and mti.isascii()):
            raise DecodeFault("mti_not_digits")
        if mti[0] != self._version:
            raise DecodeFault("mti_version")
        if mti[1] in self._dropped_classes:
            raise DecodeFault("mti_class")
        if int(mti[2]) % 2 == 1 and not self._reads_answers:
            raise DecodeFault("mti_answer")
        return mti, end

    def bitmaps_of(self, message: bytes, at: int) -> tuple[bytes, int]:
        """Return the one or two bitmaps that are there, 8 or 16 bytes, and where field 2 begins."""
        first, at = self._bitmap(message, at)
        if not first[0] & 0x80:
            return first, at
        second, at = self._bitmap(message, at)
        return first + second, at

    def decode(self, message: bytes) -> Message:
        """Return what was read; ``DecodeFault`` when nobody could be answered."""
        mti, at = self.mti_of(message)
        bitmaps, at = self.bitmaps_of(message, at)
        fields: dict[int, FieldValue] = {}
        misformed: set[int] = set()
        broken: tuple[str, int] | None = None
        number = 0
        for number in numbers_of(bitmaps):
            if number == THIRD_BITMAP:
                broken = BIT_65, number
                break
            try:
                value, at = self._read(number, message, at)
            except BreakInExtent as stop:
                broken = stop.reason, number
                _refuse_unread(fields, misformed, broken)
                break
            if value is None:
                misformed.add(number)
            else:
                fields[number] = value
        if broken is None and at != len(message):
            broken = BYTES_AFTER, number
        _refuse_unanswerable(fields, misformed)
        reason, place = broken or (None, 0)
        two = len(bitmaps) > _BITMAP_BITS // 8
        return Message(mti, fields, frozenset(misformed), reason, place, two)

    def _read(self, number: int, message: bytes, at: int) -> tuple[FieldValue | None, int]:
        field = self._fields.get(number)
        if field is None:
            raise BreakInExtent(FIELD_UNKNOWN)
        return read_field(field, message, at)

    def _bitmap(self, message: bytes, at: int) -> tuple[bytes, int]:
        end = at + (8 if self._binary_bitmap else 16)
        if end > len(message):
            raise DecodeFault("bitmap_short")
        if self._binary_bitmap:
            return message[at:end], end
        text = message[at:end].decode("latin-1")
        try:
            return bytes.fromhex(text if text.isalnum() else "?"), end
        except ValueError:
            raise DecodeFault("bitmap_not_hex") from None


def numbers_of(bitmaps: bytes) -> Iterator[int]:
    """Give the numbers of the fields that are there, ascending, without the bit of the second."""
    bits = int.from_bytes(bitmaps, "big")
    last = len(bitmaps) * 8
    return (number for number in range(2, last + 1) if bits >> (last - number) & 1)


def _refuse_unread(
    fields: dict[int, FieldValue], misformed: set[int], broken: tuple[str, int]
) -> None:
    """Drop a broken message unless terminal and STAN were read in front of the break."""
    if any(number not in fields and number not in misformed for number in _NEEDED_TO_ANSWER):
        raise DecodeFault(broken[0], broken[1]) from None


def _refuse_unanswerable(fields: dict[int, FieldValue], misformed: set[int]) -> None:
    for number in _NEEDED_TO_ANSWER:
        if number in misformed:
            raise DecodeFault("misformed", number)
    if STAN not in fields:
        raise DecodeFault("missing", STAN)
