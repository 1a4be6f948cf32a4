"""The same codec built on pyiso8583: the oracle of tests and lint, never the hot path."""

from collections.abc import Mapping
from typing import Any, Final

import iso8583

from libs.iso8583.dialect import Dialect
from libs.iso8583.faults import DecodeFault, EncodeFault
from libs.iso8583.field import Field
from libs.iso8583.message import FieldValue
from libs.iso8583.sensitive import Pan, Sealed, Track2

Plain = str | bytes

_TYPE: Final = "t"
_BITMAP_KEYS: Final = ("p", "1")


class Pyiso8583Codec:
    """Decode and encode by pyiso8583, with its specification derived from the dialect's fields.

    Knows only the filling nibble 0, and neither our character classes nor our formats.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._fields = dialect.fields
        self._spec = spec_of(dialect)

    def decode(self, message: bytes) -> tuple[str, dict[int, Plain]]:
        """Return message type and plain values; ``DecodeFault`` for everything that is wrong."""
        try:
            decoded, _ = iso8583.decode(message, self._spec)
            fields = {
                int(key): self._from_oracle(self._fields[int(key)], value)
                for key, value in decoded.items()
                if key.isdigit() and key not in _BITMAP_KEYS
            }
        except Exception:  # noqa: BLE001 -- the library lets KeyError and others escape.
            raise DecodeFault("oracle") from None
        return decoded[_TYPE], fields

    def encode(self, mti: str, fields: Mapping[int, FieldValue]) -> bytes:
        """Return the message; ``EncodeFault`` for everything that is wrong."""
        try:
            document = {
                str(number): self._to_oracle(self._fields[number], plain(value))
                for number, value in fields.items()
            }
            encoded, _ = iso8583.encode({_TYPE: mti, **document}, self._spec)
        except Exception:  # noqa: BLE001 -- as above.
            raise EncodeFault("oracle") from None
        return bytes(encoded)

    @staticmethod
    def _from_oracle(field: Field, value: str) -> Plain:
        if field.cls == "b":
            return bytes.fromhex(value)
        if field.cls == "xn" and field.unit == "packed":
            return bytes.fromhex(value[:2]).decode("latin-1") + value[2:]
        return value.replace("=", "D") if field.cls == "z" else value

    @staticmethod
    def _to_oracle(field: Field, value: Plain) -> str:
        if isinstance(value, bytes):
            return value.hex().upper()
        if field.cls == "xn" and field.unit == "packed":
            return value[:1].encode().hex() + value[1:]
        return value


def plain(value: FieldValue) -> Plain:
    """Return any value in clear; for the oracle and for tests."""
    return value.in_clear() if isinstance(value, Pan | Track2 | Sealed) else value


def spec_of(dialect: Dialect) -> dict[str, dict[str, Any]]:
    """Derive pyiso8583's specification from a dialect."""
    coding = dialect.coding
    mti = {"data_enc": "b" if coding.mti == "bcd" else "ascii", "max_len": 4}
    bitmap = {"data_enc": "b" if coding.bitmap == "binary" else "ascii", "max_len": 16}
    fixed = {"len_enc": "ascii", "len_type": 0, "desc": ""}
    spec: dict[str, dict[str, Any]] = {
        "h": {"data_enc": "ascii", "max_len": 0, **fixed},
        _TYPE: {**mti, **fixed},
        **{key: {**bitmap, **fixed} for key in _BITMAP_KEYS},
    }
    for number, field in dialect.fields.items():
        spec[str(number)] = _field_spec(field)
    return spec


def _field_spec(field: Field) -> dict[str, Any]:
    length_type = field.length_digits
    if field.packed_length:
        length_type = (length_type + 1) // 2
    entry: dict[str, Any] = {
        "data_enc": "ascii",
        "len_enc": "bcd" if field.packed_length else "ascii",
        "len_type": length_type,
        "max_len": field.length,
        "desc": field.name,
    }
    if field.unit == "raw":
        entry["data_enc"] = "b"
    elif field.unit == "hex":
        entry["max_len"] = field.length * 2
    elif field.unit == "packed" and field.cls == "xn":
        entry.update(data_enc="b", max_len=field.size(field.length))
    elif field.unit == "packed":
        entry.update(data_enc="b", len_count="nibbles")
        entry["left_pad" if field.pad == "left" else "right_pad"] = "0"
    return entry
