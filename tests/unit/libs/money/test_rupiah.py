"""Money as people read it."""

import pytest

from libs.money import rupiah

WRITTEN = {
    0: "Rp 0,00",
    1: "Rp 0,01",
    99: "Rp 0,99",
    100: "Rp 1,00",
    99_999: "Rp 999,99",
    100_000: "Rp 1.000,00",
    5_000_000: "Rp 50.000,00",
    100_000_000: "Rp 1.000.000,00",
    123_456_789_012: "Rp 1.234.567.890,12",
    999_999_999_999: "Rp 9.999.999.999,99",
    -1: "-Rp 0,01",
    -150_050: "-Rp 1.500,50",
}


@pytest.mark.parametrize("amount", WRITTEN)
def test_writes_points_for_thousands_and_a_comma_for_sen(amount: int) -> None:
    """Indonesian grouping, two digits of sen, the sign in front of the currency."""
    assert WRITTEN[amount] == rupiah(amount)
