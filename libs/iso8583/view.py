"""Show a message to a person, masked, with what each part means. For tools, never the hot path."""

import re
from typing import Final, NamedTuple

from libs.iso8583.dialect import Dialect
from libs.iso8583.masking import HIDDEN, mask_pan
from libs.iso8583.meaning import meaning_of, mti_meaning
from libs.iso8583.message import FieldValue, Message
from libs.iso8583.tags import parse_tags

_ALWAYS_HIDDEN: Final = frozenset({64, 128})
_BALANCES: Final = 54
_PRIVATE: Final = 48
_KNOWN_TAGS: Final = frozenset({"PS", "GC"})
_LIKE_A_PAN: Final = re.compile(r"(?<!\d)\d{13,19}(?!\d)")


class Row(NamedTuple):
    """One field as a person reads it. Number 0 is the message type."""

    number: int
    name: str
    value: str
    meaning: str


def describe(message: Message, dialect: Dialect) -> list[Row]:
    """Return one row for each field in ascending order, then what was wrong with the message."""
    rows = [Row(0, "Message type", message.mti, mti_meaning(message.mti))]
    for number in sorted(message.fields.keys() | message.misformed):
        name = dialect.fields[number].name
        if number in message.misformed:
            rows.append(Row(number, name, HIDDEN, "misformed"))
            continue
        value = message.fields[number]
        rows.append(Row(number, name, shown(number, value), meaning_of(number, value, dialect)))
    if message.broken is not None:
        rows.append(Row(message.broken_field, "Broken here", "", message.broken))
    return rows


def shown(number: int, value: FieldValue) -> str:
    """Return a value as it may be shown: secrets masked, and what looks like a card number."""
    if number in _ALWAYS_HIDDEN:
        return HIDDEN
    if isinstance(value, bytes):
        return value.hex()
    if not isinstance(value, str):
        return repr(value)
    if number == _BALANCES:
        return value
    if number == _PRIVATE:
        return _private(value)
    return _free(value)


def _private(text: str) -> str:
    tags = parse_tags(text)
    if tags is None:
        return _free(text)
    return "".join(
        f"{tag}{len(value):02d}{value if tag in _KNOWN_TAGS else _free(value)}"
        for tag, value in tags
    )


def _free(text: str) -> str:
    return _LIKE_A_PAN.sub(lambda found: mask_pan(found.group()), text)
