"""Amounts on a command line become exact minor units."""

import pytest

from services.cli.faults import CommandRefused
from services.cli.money import parse_rupiah


class TestParseRupiah:
    @pytest.mark.parametrize(
        ("text", "minor"),
        [("0", 0), ("50000", 5_000_000), ("50_000", 5_000_000), ("1.5", 150), ("0.07", 7)],
    )
    def test_reads_rupiah_and_sen(self, text: str, minor: int) -> None:
        """One decimal is ten sen, two are sen."""
        assert minor == parse_rupiah(text)

    @pytest.mark.parametrize("text", ["", "-1", "1.234", "1,5", "Rp 5", "1e3", "9" * 11])
    def test_refuses_what_is_no_amount(self, text: str) -> None:
        """Signs, commas, exponents and too many digits are refused, not guessed."""
        with pytest.raises(CommandRefused, match="50000"):
            parse_rupiah(text)
