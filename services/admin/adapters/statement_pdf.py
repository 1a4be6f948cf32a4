"""A statement as PDF, in Indonesian, drawn line by line; also a program that only does that."""

import io
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas

from services.admin.domain.statement import Entry, PurseStatement, Statement
from services.admin.domain.statement_words import (
    day_text,
    grouped_amount,
    kind_text,
    note_text,
    purse_text,
)

_SHEET: Final[tuple[float, float]] = landscape(A4)
_WIDTH, _HEIGHT = _SHEET
_MARGIN: Final = 36.0
_LINE: Final = 12.0
_SIZE: Final = 8.0
_TITLE_SIZE: Final = 14.0
_FONT: Final = "Helvetica"
_BOLD: Final = "Helvetica-Bold"
_FOOT: Final = _MARGIN + 2 * _LINE
_TEXT_MAX: Final = 150
_GREY: Final = 0.45


class _Column(NamedTuple):
    """A column: its left edge for texts, its right edge for amounts."""

    title: str
    x: float
    is_amount: bool = False


_COLUMNS: Final = (
    _Column("Tanggal", 36),
    _Column("Dompet", 96),
    _Column("Jenis", 176),
    _Column("Gerai", 276),
    _Column("Terminal", 376),
    _Column("No. referensi", 436),
    _Column("Debit", 610, is_amount=True),
    _Column("Kredit", 705, is_amount=True),
    _Column("Saldo", 806, is_amount=True),
)
_PURSES: Final = (
    _Column("Dompet", 36),
    _Column("Saldo awal", 300, is_amount=True),
    _Column("Debit", 420, is_amount=True),
    _Column("Kredit", 540, is_amount=True),
    _Column("Saldo akhir", 660, is_amount=True),
)


class _Line(NamedTuple):
    """One line of the table; a note takes the whole width."""

    cells: Sequence[str]
    is_note: bool = False


def write_pdf(statement: Statement) -> bytes:
    """Return the file; the same statement gives the same bytes. Takes a processor for a while."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=_SHEET, pageCompression=1, invariant=1)
    canvas.setTitle(f"Rekening koran dompet {statement.wallet}")
    canvas.setAuthor("Lesko")
    pages = _pages(statement)
    for number, lines in enumerate(pages, start=1):
        top = _heading(canvas, statement) if number == 1 else _HEIGHT - _MARGIN - _LINE
        _table(canvas, lines, top)
        _footing(canvas, statement, number, len(pages))
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _pages(statement: Statement) -> list[list[_Line]]:
    """Cut the lines into pages; a movement and its note stay together."""
    first = _HEIGHT - _MARGIN - (7 + len(statement.purses)) * _LINE
    rooms = [int((first - _FOOT) / _LINE) - 1]
    later = int((_HEIGHT - _MARGIN - _LINE - _FOOT) / _LINE) - 1
    pages: list[list[_Line]] = [[]]
    for entry in statement.entries:
        lines = list(_lines(entry))
        if len(pages[-1]) + len(lines) > (rooms[0] if len(pages) == 1 else later):
            pages.append([])
        pages[-1] += lines
    return pages


def _lines(entry: Entry) -> Iterator[_Line]:
    amount = grouped_amount(abs(entry.amount))
    yield _Line(
        (
            f"{entry.day:%d-%m-%Y}",
            purse_text(entry.purse, entry.programme),
            kind_text(entry.kind),
            entry.outlet,
            entry.terminal,
            entry.rrn,
            amount if entry.amount < 0 else "",
            amount if entry.amount > 0 else "",
            grouped_amount(entry.balance),
        )
    )
    if note := note_text(entry):
        yield _Line((note[:_TEXT_MAX],), is_note=True)


def _heading(canvas: Canvas, statement: Statement) -> float:
    """Draw whose statement it is and what each purse did; return where the table begins."""
    y = _HEIGHT - _MARGIN - _TITLE_SIZE
    canvas.setFont(_BOLD, _TITLE_SIZE)
    canvas.drawString(_MARGIN, y, "Rekening koran dompet")
    canvas.setFont(_FONT, _SIZE)
    y -= 1.5 * _LINE
    canvas.drawString(_MARGIN, y, f"Nomor dompet: {statement.wallet}")
    y -= _LINE
    period = f"{day_text(statement.first)} s.d. {day_text(statement.last)}"
    canvas.drawString(_MARGIN, y, f"Periode: {period}. Semua jumlah dalam rupiah.")
    y -= 1.5 * _LINE
    _titles(canvas, _PURSES, y)
    canvas.setFont(_FONT, _SIZE)
    for purse in statement.purses:
        y -= _LINE
        _cells(canvas, _PURSES, _purse(purse), y)
    return y - 2 * _LINE


def _purse(purse: PurseStatement) -> Sequence[str]:
    amounts = (purse.opening, purse.debits, purse.credits, purse.closing)
    return (purse_text(purse.purse, purse.programme), *map(grouped_amount, amounts))


def _table(canvas: Canvas, lines: Sequence[_Line], top: float) -> None:
    y = top
    _titles(canvas, _COLUMNS, y)
    canvas.setFont(_FONT, _SIZE)
    if not lines:
        canvas.drawString(_MARGIN, y - _LINE, "Tidak ada mutasi pada periode ini.")
    for line in lines:
        y -= _LINE
        if line.is_note:
            canvas.setFillGray(_GREY)
            canvas.drawString(_COLUMNS[2].x, y, line.cells[0])
            canvas.setFillGray(0)
        else:
            _cells(canvas, _COLUMNS, line.cells, y)


def _titles(canvas: Canvas, columns: Sequence[_Column], y: float) -> None:
    canvas.setFont(_BOLD, _SIZE)
    _cells(canvas, columns, [column.title for column in columns], y)
    canvas.setLineWidth(0.5)
    canvas.line(_MARGIN, y - 3, columns[-1].x, y - 3)


def _cells(canvas: Canvas, columns: Sequence[_Column], cells: Sequence[str], y: float) -> None:
    for column, cell in zip(columns, cells, strict=True):
        if not cell:
            continue
        if column.is_amount:
            canvas.drawRightString(column.x, y, cell)
        else:
            canvas.drawString(column.x, y, cell)


def _footing(canvas: Canvas, statement: Statement, number: int, of: int) -> None:
    canvas.setFont(_FONT, _SIZE)
    canvas.drawString(_MARGIN, _MARGIN, f"Rekening koran dompet {statement.wallet}")
    canvas.drawRightString(_WIDTH - _MARGIN, _MARGIN, f"Halaman {number} dari {of}")


def to_text(statement: Statement) -> str:
    """Write a statement as JSON for the program; ``from_text`` reads it back."""
    return json.dumps(statement, default=date.isoformat)


def from_text(text: str) -> Statement:
    """Read what ``to_text`` wrote."""
    wallet, first, last, purses, entries = json.loads(text)
    return Statement(
        wallet,
        date.fromisoformat(first),
        date.fromisoformat(last),
        tuple(PurseStatement(*row) for row in purses),
        tuple(Entry(row[0], date.fromisoformat(row[1]), *row[2:]) for row in entries),
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(write_pdf(from_text(sys.stdin.read())))
