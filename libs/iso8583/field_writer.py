"""Write one field exactly as its dialect says, or say which field does not fit."""

from typing import Final

from libs.iso8583.faults import EncodeFault
from libs.iso8583.field import Field
from libs.iso8583.message import FieldValue
from libs.iso8583.sensitive import Pan, Sealed, Track2

NOT_TEXT: Final = "value_not_text"
NOT_BYTES: Final = "value_not_bytes"
WRONG_LENGTH: Final = "value_length"
WRONG_CHARACTER: Final = "value_character"

_TRACK: Final = frozenset("0123456789D")


def write_field(field: Field, value: FieldValue) -> bytes:
    """Return length and content; ``EncodeFault`` names field and reason, never the value."""
    plain: object = value
    if isinstance(value, Pan | Track2 | Sealed):
        plain = value.in_clear()
    if field.cls == "b":
        content, length = _from_bytes(field, plain)
    else:
        content, length = _from_text(field, plain)
    if length > field.length or (field.is_fixed and length != field.length):
        raise EncodeFault(WRONG_LENGTH, field.number)
    return length_prefix(field, length) + content


def length_prefix(field: Field, length: int) -> bytes:
    """Return the length in front of a variable field, nothing for a fixed one."""
    if field.is_fixed:
        return b""
    if not field.packed_length:
        return f"{length:0{field.length_digits}d}".encode()
    return bytes.fromhex(f"{length:0{field.length_digits + field.length_digits % 2}d}")


def packed(field: Field, digits: str) -> str:
    """Return an even number of digits: the filling nibble that is sent is 0."""
    if len(digits) % 2 == 0:
        return digits
    return f"0{digits}" if field.pad == "left" else f"{digits}0"


def _from_bytes(field: Field, plain: object) -> tuple[bytes, int]:
    if not isinstance(plain, bytes):
        raise EncodeFault(NOT_BYTES, field.number)
    return (plain.hex().upper().encode() if field.unit == "hex" else plain), len(plain)


def _from_text(field: Field, plain: object) -> tuple[bytes, int]:
    if not isinstance(plain, str):
        raise EncodeFault(NOT_TEXT, field.number)
    if not _fits(field, plain):
        raise EncodeFault(WRONG_CHARACTER, field.number)
    if field.unit != "packed":
        return plain.encode("ascii"), len(plain)
    if field.cls == "xn":
        if len(plain) % 2 == 0:
            raise EncodeFault(WRONG_LENGTH, field.number)
        return plain[:1].encode("ascii") + bytes.fromhex(plain[1:]), len(plain)
    return bytes.fromhex(packed(field, plain)), len(plain)


def _fits(field: Field, plain: str) -> bool:
    if not plain.isascii():
        return False
    if field.cls == "n":
        return plain.isdigit() or not plain
    if field.cls == "xn":
        return plain[:1] in {"C", "D"} and plain[1:].isdigit()
    return field.cls != "z" or _TRACK.issuperset(plain)
