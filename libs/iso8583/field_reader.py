"""Read one field exactly as its dialect says; slow, complete, and the judge of the fast way."""

from typing import Final

from libs.iso8583.field import Field
from libs.iso8583.message import FieldValue
from libs.iso8583.sensitive import Pan, Sealed, Track2
from libs.iso8583.value_check import CLASSES, FORMATS

PAST_END: Final = "length_past_end"
OVER_MAXIMUM: Final = "length_over_maximum"
NOT_DIGITS: Final = "length_not_digits"


class BreakInExtent(Exception):
    """Nobody can tell where the field ends. Never leaves this library."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_field(field: Field, message: bytes, at: int) -> tuple[FieldValue | None, int]:
    """Return the value (None: misformed) and where the next field begins.

    Raises ``BreakInExtent`` when the extent is not known or goes past the message's end.
    """
    length = field.length
    if field.length_digits:
        length, at = _read_length(field, message, at)
    end = at + field.size(length)
    if end > len(message):
        raise BreakInExtent(PAST_END)
    content = message[at:end]
    if field.cls == "b":
        return _bytes_of(field, content), end
    text = _text_of(field, content, length)
    if text is None or not CLASSES[field.cls](text):
        return None, end
    if field.format and not FORMATS[field.format](text):
        return None, end
    return wrap(field, text), end


def wrap(field: Field, value: str | bytes) -> FieldValue:
    """Put a secret into the type that never shows it."""
    if field.mask and isinstance(value, str):
        if field.mask == "pan":
            return Pan(value)
        if field.mask == "track2":
            return Track2(value)
    return Sealed(value) if field.mask else value


def _read_length(field: Field, message: bytes, at: int) -> tuple[int, int]:
    size = (field.length_digits + 1) // 2 if field.packed_length else field.length_digits
    end = at + size
    if end > len(message):
        raise BreakInExtent(PAST_END)
    prefix = message[at:end]
    digits = prefix.hex() if field.packed_length else prefix.decode("latin-1")
    if not (digits.isdigit() and digits.isascii()):
        raise BreakInExtent(NOT_DIGITS)
    length = int(digits)
    if length > field.length:
        raise BreakInExtent(OVER_MAXIMUM)
    return length, end


def _bytes_of(field: Field, content: bytes) -> FieldValue | None:
    if field.unit == "raw":
        return wrap(field, content)
    text = content.decode("latin-1")
    if text and not text.isalnum():
        return None  # fromhex would skip blanks.
    try:
        return wrap(field, bytes.fromhex(text))
    except ValueError:
        return None


def _text_of(field: Field, content: bytes, length: int) -> str | None:
    """Return the value as text; None when a filling nibble is not one of those accepted."""
    if field.unit != "packed":
        text = content.decode("latin-1")
        return text.replace("=", "D") if field.cls == "z" else text
    if field.cls == "xn":
        return content[:1].decode("latin-1") + content[1:].hex().upper()
    nibbles = content.hex().upper()
    if length % 2 == 0:
        return nibbles
    if field.pad == "left":
        return nibbles[1:] if nibbles[0] in field.accept else None
    return nibbles[:-1] if nibbles[-1] in field.accept else None
