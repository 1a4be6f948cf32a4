"""Rows of a file of cards: each mistake by its column, never with what stands there."""

from datetime import date

import pytest

from libs.fakes.registry import a_product
from services.admin.domain.card_rows import (
    CardRow,
    CardRowChecker,
    luhn_sum,
    number_problem,
    read_expiry,
)

GOOD = "4539578763621486"
CHECKER = CardRowChecker({"standard": a_product()}, date(2026, 11, 24))


def problems_of(number: str = GOOD, product: str = "standard", expiry: str = "3012") -> list[str]:
    """Columns of a row's problems."""
    found = list(CHECKER.check(CardRow(2, number, product, expiry)))
    for one in found:
        assert one.row == 2
        for cell in (number, product, expiry):
            assert len(cell) < len("1234") or cell not in one.sentence
    return [one.column for one in found]


def test_a_right_row_has_no_problem() -> None:
    """Whatever form its expiry has."""
    for expiry in ("3012", "12/30", "2611"):
        assert [] == problems_of(expiry=expiry)


@pytest.mark.parametrize(
    "number",
    [
        "",
        GOOD[:-1] + "7",
        "5439578763621486",  # Two digits swapped.
        "4539 5787 6362 1486",
        "4539-578763621486",
        "\u0664539578763621486",
        "18",
        "0" * 20,
    ],
)
def test_a_wrong_number_is_found(number: str) -> None:
    """Missing, mistyped, swapped, with spaces, too short or too long."""
    assert ["card_number"] == problems_of(number=number)


@pytest.mark.parametrize("length", range(10, 22))
def test_a_number_has_12_to_19_digits(length: int) -> None:
    """At both edges; zeros have the right check digit."""
    assert (12 <= length <= 19) is (number_problem("0" * length) == "")


@pytest.mark.parametrize("expiry", ["", "2610", "10/26", "3013", "3000", "00/30", "1/30", "203012"])
def test_a_wrong_or_past_expiry_is_found(expiry: str) -> None:
    """A card is good to the end of its month."""
    assert ["expiry"] == problems_of(expiry=expiry)


def test_every_problem_of_a_row_is_found() -> None:
    """Not only the first."""
    assert ["card_number", "product", "expiry"] == problems_of("1", "gold", "x")


def test_luhn_sums_are_those_of_the_standard() -> None:
    """The example of ISO/IEC 7812-1, and every single wrong digit is noticed."""
    assert 0 == luhn_sum("79927398713") % 10
    for place in range(len(GOOD)):
        for digit in "0123456789":
            changed = GOOD[:place] + digit + GOOD[place + 1 :]
            assert (changed == GOOD) is (luhn_sum(changed) % 10 == 0)


def test_expiries_are_read_as_yymm() -> None:
    """Both ways of writing."""
    assert ["3012", "3012", ""] == [read_expiry(one) for one in ("3012", "12/30", "30/12")]


def test_a_row_does_not_show_itself() -> None:
    """It holds a card number."""
    assert "CardRow(2)" == repr(CardRow(2, GOOD, "standard", "3012"))
