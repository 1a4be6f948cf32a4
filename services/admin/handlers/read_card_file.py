"""Read a file of cards as people make it with a spreadsheet; what it holds is never repeated."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from services.admin.domain.card_rows import COLUMNS, CardRow
from services.admin.domain.outlet_rows import Problem

_SEPARATORS: Final = (",", ";", "\t")
_HEADER: Final = f"The first row must name the columns {', '.join(COLUMNS)}, each once."
_CELLS: Final = "This row does not have as many cells as the header."
_UTF8: Final = 'The file is not written in UTF-8; save it as "CSV UTF-8".'
_TABLE: Final = "The file cannot be read as CSV from here on; look at its quotes."


def read_rows(data: bytes) -> Iterator[CardRow | Problem]:
    """Give rows in the order of the file, and a problem where there is none to read.

    UTF-8 with or without a byte order mark; separated by commas, semicolons or tabs, as the header
    is; columns in any order; empty rows are passed over.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        yield Problem(data.count(b"\n", 0, error.start) + 1, "", _UTF8)
        return
    head = text.partition("\n")[0]
    lines = csv.reader(
        io.StringIO(text, newline=""), delimiter=max(_SEPARATORS, key=head.count), strict=True
    )
    row = 1
    try:
        places = _places(next(lines, []))
        if places is None:
            yield Problem(1, "", _HEADER)
            return
        for row, cells in enumerate(lines, start=2):
            if any(map(str.strip, cells)):
                yield _row(row, cells, places)
    except csv.Error:
        yield Problem(row + 1, "", _TABLE)


def _places(cells: Sequence[str]) -> Sequence[int] | None:
    names = [cell.strip().lower() for cell in cells]
    if sorted(names) != sorted(COLUMNS):
        return None
    return [names.index(column) for column in COLUMNS]


def _row(row: int, cells: Sequence[str], places: Sequence[int]) -> CardRow | Problem:
    if len(cells) != len(places):
        return Problem(row, "", _CELLS)
    number, product, expiry = (cells[place].strip() for place in places)
    return CardRow(row, number, product, expiry)
