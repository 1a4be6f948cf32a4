"""Keeps card data out of what is written: by the name of a value, and by how digits look."""

import re
from collections.abc import Mapping
from typing import Any, Final

MASK: Final = "***"

_SECRET_NAMES: Final = frozenset(
    {
        *("pan", "primary_account_number", "card_number", "cvv", "cvc"),
        *("track", "track1", "track2", "track_data", "pin", "pin_block", "pinblock"),
        *("key", "keys", "mac_key", "token_key", "pan_key", "vault_key", "zone_key"),
        *("private_key", "secret", "password", "passwd", "dsn", "cookie", "authorization_header"),
        *("frame", "raw", "payload", "emv", "icc", "de2", "de35", "de45", "de52", "de55"),
    }
)
_SECRET_ENDS: Final = ("_pan", "_pin", "_password", "_secret", "_frame", "_payload", "_dsn")
# Random ids of ours in hex; long runs of digits inside them mean nothing.
_ID_NAMES: Final = frozenset({"correlation", "message", "business_key"})
_ID_FORM: Final = re.compile(r"[0-9a-f]{32}")

_DIGITS: Final = re.compile(r"[0-9](?:[ -]?[0-9]){12,}")
_PAN_SHORTEST: Final = 13
_PAN_LONGEST: Final = 19
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_DEPTH_MAX: Final = 6


def redact_text(text: str) -> str:
    """Mask every run of digits that may be a card number, also when grouped by blanks or dashes."""
    return _DIGITS.sub(_judge, text)


def redact(name: str, value: Any, depth: int = 0) -> Any:
    """Return a value that may be written under this name: plain, masked, nothing but its class."""
    if value is None or isinstance(value, (bool, int, float)):
        return MASK if _is_secret(name) else value
    if _is_secret(name) or depth > _DEPTH_MAX:
        return MASK
    if isinstance(value, str):
        if name in _ID_NAMES and _ID_FORM.fullmatch(value):
            return value
        return redact_text(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping):
        return {redact_text(str(k)): redact(str(k), v, depth + 1) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact(name, each, depth + 1) for each in value]
    return f"<{type(value).__name__}>"  # The text of an object may hold anything.


def has_luhn_digit(digits: str) -> bool:
    """Say whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = ord(digit) - 48
        total += _DOUBLED[number] if place % 2 else number
    return total % 10 == 0


def _is_secret(name: str) -> bool:
    lowered = name.lower()
    return lowered in _SECRET_NAMES or lowered.endswith(_SECRET_ENDS)


def _judge(found: re.Match[str]) -> str:
    digits = found[0].replace(" ", "").replace("-", "")
    if len(digits) <= _PAN_LONGEST:
        return MASK if has_luhn_digit(digits) else found[0]
    # Longer than a card number: one may hide anywhere inside.
    for length in range(_PAN_SHORTEST, _PAN_LONGEST + 1):
        for start in range(len(digits) - length + 1):
            if has_luhn_digit(digits[start : start + length]):
                return MASK
    return found[0]
