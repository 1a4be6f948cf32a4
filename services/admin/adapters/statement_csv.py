"""A statement as CSV that a spreadsheet in Indonesia opens by a double click."""

import asyncio
import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from services.admin.domain.statement import Entry, PurseStatement, Statement
from services.admin.domain.statement_words import kind_text, plain_amount, purse_text

# In Indonesia the comma is the decimal mark, so lists are separated by semicolons; without the mark
# at the front the program would read UTF-8 as something else.
_MARK: Final = "\ufeff"
_SEPARATOR: Final = ";"
_COLUMNS: Final = (
    "tanggal", "dompet", "jenis", "gerai", "terminal", "stan", "rrn", "debit", "kredit", "saldo",
    "alasan", "dokumen",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@")
_ROWS_AT_ONCE: Final = 500


async def write_csv(statement: Statement) -> bytes:
    """Return the file: a row for each purse's opening, the movements, each purse's closing."""
    text = io.StringIO()
    text.write(_MARK)
    writer = csv.writer(text, delimiter=_SEPARATOR, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    rows = _rows(statement)
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        writer.writerows(some)
        await asyncio.sleep(0)
    return text.getvalue().encode()


def _rows(statement: Statement) -> Iterator[Sequence[str]]:
    for purse in statement.purses:
        yield _balance(statement.first.isoformat(), "Saldo awal", purse, purse.opening)
    for entry in statement.entries:
        yield _entry(entry)
    for purse in statement.purses:
        yield _balance(statement.last.isoformat(), "Saldo akhir", purse, purse.closing)


def _balance(day: str, what: str, purse: PurseStatement, amount: int) -> Sequence[str]:
    name = purse_text(purse.purse, purse.programme)
    return (day, name, what, "", "", "", "", "", "", plain_amount(amount), "", "")


def _entry(entry: Entry) -> Sequence[str]:
    amount = plain_amount(abs(entry.amount))
    return (
        entry.day.isoformat(),
        purse_text(entry.purse, entry.programme),
        kind_text(entry.kind),
        _harmless(entry.outlet),
        _harmless(entry.terminal),
        f"{entry.stan:06d}" if entry.stan else "",
        entry.rrn,
        amount if entry.amount < 0 else "",
        amount if entry.amount > 0 else "",
        plain_amount(entry.balance),
        _harmless(entry.reason),
        _harmless(entry.document),
    )


def _harmless(text: str) -> str:
    """Keep what people wrote on one line, and from being run as a formula."""
    line = " ".join(text.split())
    return f"'{line}" if line.startswith(_FORMULA) else line
