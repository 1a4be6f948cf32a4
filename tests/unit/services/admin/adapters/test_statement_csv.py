"""A statement as CSV opens in a spreadsheet in Indonesia with numbers as numbers."""

import csv
import io
from datetime import date
from typing import Any

import pytest

from services.admin.adapters.statement_csv import write_csv
from services.admin.domain.statement import Entry, PurseStatement, Statement

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)


def an_entry(amount: int, balance: int, **more: Any) -> Entry:
    """A movement of the own purse."""
    entry = Entry(1, date(2026, 11, 24), 13, 0, 0, amount, balance, "", "", 0, "000000000065")
    return entry._replace(**more)


async def rows_of(*entries: Entry) -> list[dict[str, str]]:
    """The file as a spreadsheet reads it."""
    purses = (PurseStatement(0, 0, 1_000_50, 0, 0, 999_00),)
    file = await write_csv(Statement(7, FIRST, LAST, purses, entries))
    assert file.startswith(b"\xef\xbb\xbf")
    text = file.decode("utf-8-sig")
    assert text.count("\r\n") == text.count("\n")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


class TestWriteCsv:
    async def test_begins_with_opening_and_ends_with_closing_balances(self) -> None:
        """For each purse a row, at the first and at the last day."""
        first, last = await rows_of()

        assert ("2026-11-01", "Sendiri", "Saldo awal", "1000,50") == (
            first["tanggal"],
            first["dompet"],
            first["jenis"],
            first["saldo"],
        )
        assert ("2026-11-30", "Saldo akhir", "999,00") == (
            last["tanggal"],
            last["jenis"],
            last["saldo"],
        )

    async def test_writes_amounts_on_their_side(self) -> None:
        """Rupiah without marks, a comma, sen; what a purse paid under debit."""
        _, paid, got, _ = await rows_of(an_entry(-1_234_567_05, 5), an_entry(7, -12))

        assert ("1234567,05", "", "0,05") == (paid["debit"], paid["kredit"], paid["saldo"])
        assert ("", "0,07", "-0,12") == (got["debit"], got["kredit"], got["saldo"])

    async def test_shows_reason_and_document(self) -> None:
        """Beside the movement, on one line, whatever marks they hold."""
        _, row, _ = await rows_of(an_entry(1, 1, reason='Selisih; "kas"\nMakan', document="BA-17"))

        assert ("Koreksi", 'Selisih; "kas" Makan', "BA-17") == (
            row["jenis"],
            row["alasan"],
            row["dokumen"],
        )

    @pytest.mark.parametrize("text", ["=1+1", "+62", "-1", "@x", "\t=x"])
    async def test_runs_nothing_that_people_wrote(self, text: str) -> None:
        """A text that a spreadsheet would take for a formula stays a text."""
        _, row, _ = await rows_of(an_entry(1, 1, reason=text))

        assert f"'{text.strip()}" == row["alasan"]
