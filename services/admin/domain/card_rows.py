"""Rows of a file of new cards: what is wrong with each, never repeating what it holds. Pure."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple

from libs.registry.entities import Product
from services.admin.domain.outlet_rows import Problem

COLUMNS: Final = ("card_number", "product", "expiry")
NUMBER_MIN, NUMBER_MAX = 12, 19
_EXPIRY: Final = re.compile(r"(?:(?P<year>\d\d)(?P<month>\d\d)|(?P<m>\d\d)/(?P<y>\d\d))", re.ASCII)
_MONTHS: Final = 12
_CENTURY: Final = 2_000
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


class CardRow(NamedTuple):
    """One row of the file, as it was read. It holds a card number: it is never shown."""

    row: int  # As the program that made the file counts: the header is row 1.
    number: str
    product: str
    expiry: str

    def __repr__(self) -> str:
        return f"CardRow({self.row})"


class CardRowChecker:
    """Checks rows one by one."""

    def __init__(self, products: Mapping[str, Product], today: date) -> None:
        """``products`` are those in force; ``today`` in the business zone."""
        self._products = products
        self._month = (today.year, today.month)

    def check(self, row: CardRow) -> Iterator[Problem]:
        """Give every problem of a row."""
        for column, sentence in (
            ("card_number", number_problem(row.number)),
            ("product", self._product_problem(row.product)),
            ("expiry", self._expiry_problem(row.expiry)),
        ):
            if sentence:
                yield Problem(row.row, column, sentence)

    def _product_problem(self, code: str) -> str:
        # Whatever stands there is not repeated: columns get mixed up.
        return "" if code in self._products else "There is no product of this code in force."

    def _expiry_problem(self, text: str) -> str:
        expiry = read_expiry(text)
        if not expiry:
            return "An expiry is written YYMM or MM/YY."
        if (_CENTURY + int(expiry[:2]), int(expiry[2:])) < self._month:
            return "The card has expired."
        return ""


def number_problem(number: str) -> str:
    """Return what is wrong with a card number; empty: nothing."""
    if not number:
        return "The card number is missing."
    if not (number.isascii() and number.isdigit()):
        return "A card number has digits only, no spaces or dashes."
    if not NUMBER_MIN <= len(number) <= NUMBER_MAX:
        return f"A card number has {NUMBER_MIN} to {NUMBER_MAX} digits."
    if luhn_sum(number) % 10:
        return "The check digit does not fit: a digit is wrong, or two are swapped."
    return ""


def luhn_sum(number: str) -> int:
    """Return the sum whose last digit is 0 for a right number (ISO/IEC 7812-1, annex B)."""
    digits = [*map(int, reversed(number))]
    return sum(digits[::2]) + sum([_DOUBLED[digit] for digit in digits[1::2]])


def read_expiry(text: str) -> str:
    """Return YYMM of YYMM or MM/YY; empty: it is neither."""
    found = _EXPIRY.fullmatch(text)
    if found is None:
        return ""
    year, month = found["year"] or found["y"], found["month"] or found["m"]
    return f"{year}{month}" if 1 <= int(month) <= _MONTHS else ""
