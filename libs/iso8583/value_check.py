"""Tell whether a value belongs to its class and format; text in, yes or no out."""

from collections.abc import Callable
from typing import Final

_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DATES: Final = frozenset(
    f"{month:02d}{day:02d}" for month, days in enumerate(_DAYS, 1) for day in range(1, days + 1)
)
_SIGNS: Final = "CD"


def is_digits(text: str) -> bool:
    """Class n: one digit or more."""
    return text.isdigit() and text.isascii()


def is_alphanumeric(text: str) -> bool:
    """Class an: letters and digits, filled with blanks at the right."""
    text = text.rstrip(" ")
    return text.isalnum() and text.isascii()


def is_printable(text: str) -> bool:
    """Class ans: printable ASCII, blanks included; may be empty."""
    return text.isascii() and text.isprintable()


def is_track2(text: str) -> bool:
    """Class z: a card number, the separator D, then digits and further separators."""
    number, separator, rest = text.partition("D")
    if not (separator and is_digits(number)):
        return False
    return not rest or is_digits(rest.replace("D", "0"))


def is_signed(text: str) -> bool:
    """Class x+n: C or D, then digits."""
    return text[:1] in _SIGNS and is_digits(text[1:])


def is_time(digits: str) -> bool:
    """Format hhmmss: a time of the day (digits are checked before)."""
    return digits[:2] < "24" and digits[2:4] < "60" and digits[4:] < "60"


def is_date(digits: str) -> bool:
    """Format MMDD: a day that some year has."""
    return digits in _DATES


FORMATS: Final[dict[str, Callable[[str], bool]]] = {"hhmmss": is_time, "MMDD": is_date}
"""By the name that a dialect's file uses."""

CLASSES: Final[dict[str, Callable[[str], bool]]] = {
    "n": is_digits,
    "an": is_alphanumeric,
    "ans": is_printable,
    "z": is_track2,
    "xn": is_signed,
}
"""By the name that a dialect's file uses; class b is no text."""
