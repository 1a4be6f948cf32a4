"""Read a CSV file that people made with a spreadsheet: every mistake of form as row and column."""

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from services.cli.faults import CommandRefused

BYTES_MAX: Final = 64 << 20
CELL_MAX: Final = 200
_WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_SEPARATORS: Final = (",", ";", "\t")


class CsvProblem(NamedTuple):
    """What is wrong, where; the header is row 1, as a spreadsheet counts."""

    row: int
    column: str
    sentence: str


class CsvRow(NamedTuple):
    """A row that has the right form: its cells by column, without the spaces at their ends."""

    row: int
    cells: Mapping[str, str]


class CsvFile(NamedTuple):
    """A whole file."""

    rows: Sequence[CsvRow]
    problems: Sequence[CsvProblem]  # Rows that have one are not among the others.
    sha256: str  # Of its bytes, in hex.


def read_csv(path: Path, *, required: Sequence[str], optional: Sequence[str] = ()) -> CsvFile:
    """Read a file in UTF-8, with or without a byte order mark.

    The header names the columns, in any order; what is optional and not there reads as empty.
    Cells are separated as the header is: by commas, semicolons or tabs; quotes double inside
    quotes. Empty rows are passed over. Raises CommandRefused for a file that cannot be read as a
    table at all.
    """
    data = _read(path)
    lines = csv.reader(
        io.StringIO(_decode(path, data), newline=""), delimiter=_separator(data), strict=True
    )
    try:
        header = _header(path, next(lines, []), required, optional)
        rows: list[CsvRow] = []
        problems: list[CsvProblem] = []
        for found in _rows(lines, header, optional):
            if isinstance(found, CsvRow):
                rows.append(found)
            else:
                problems += found
    except csv.Error as error:
        message = (
            f"{path} cannot be read as CSV at line {lines.line_num}: {error}. "
            "A quote inside a cell is written twice, and the cell stands in quotes."
        )
        raise CommandRefused(message) from None
    return CsvFile(rows, problems, hashlib.sha256(data).hexdigest())


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(BYTES_MAX + 1)
    if len(data) > BYTES_MAX:
        message = f"{path} is larger than {BYTES_MAX >> 20} MB; split it into several files."
        raise CommandRefused(message)
    return data


def _decode(path: Path, data: bytes) -> str:
    advice = 'Save it as "CSV UTF-8".'
    if data.startswith(_WIDE_MARKS):
        message = f"{path} is written in UTF-16. {advice}"
        raise CommandRefused(message)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"{path} is not written in UTF-8: line {line} holds other bytes. {advice}"
        raise CommandRefused(message) from None


def _separator(data: bytes) -> str:
    """Return what separates the cells of the header, which holds no text of people."""
    header = data.partition(b"\n")[0].decode(errors="replace")
    return max(_SEPARATORS, key=header.count)


def _header(
    path: Path, cells: Sequence[str], required: Sequence[str], optional: Sequence[str]
) -> Sequence[str]:
    """Return the names of the columns in their order."""
    names = [cell.strip().lower() for cell in cells]
    missing = [name for name in required if name not in names]
    unknown = sorted({name for name in names if name not in (*required, *optional)})
    twice = sorted({name for name in names if names.count(name) > 1})
    for found, what in ((missing, "has no"), (unknown, "has an unknown"), (twice, "has twice the")):
        if found:
            known = ", ".join((*required, *(f"[{name}]" for name in optional)))
            named = ", ".join(repr(name) for name in found)
            message = f"The header of {path} {what} column {named}; its columns are {known}."
            raise CommandRefused(message)
    return names


def _rows(
    lines: Iterator[list[str]], header: Sequence[str], optional: Sequence[str]
) -> Iterator[CsvRow | Sequence[CsvProblem]]:
    blank = dict.fromkeys(optional, "")
    for number, cells in enumerate(lines, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            sentence = f"This row has {len(cells)} cells, the header has {len(header)}."
            yield [CsvProblem(number, "", sentence)]
            continue
        named = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        problems = list(_cell_problems(number, named))
        yield problems or CsvRow(number, blank | named)


def _cell_problems(row: int, cells: Mapping[str, str]) -> Iterator[CsvProblem]:
    for column, cell in cells.items():
        if len(cell) > CELL_MAX:
            yield CsvProblem(row, column, f"The cell holds more than {CELL_MAX} characters.")
        elif not cell.isprintable():
            yield CsvProblem(row, column, "The cell holds a line break or a hidden character.")
