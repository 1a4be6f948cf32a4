"""CSV files as spreadsheets write them, and every mistake of form with its place."""

import hashlib
from pathlib import Path

import pytest

from services.cli.csv_file import CsvFile, CsvProblem, read_csv
from services.cli.faults import CommandRefused


def read(directory: Path, data: bytes) -> CsvFile:
    path = directory / "outlets.csv"
    path.write_bytes(data)
    return read_csv(path, required=("code", "name"), optional=("terminal",))


class TestRows:
    @pytest.mark.parametrize(
        "data",
        [
            b"code,name\nA,Kios\n",
            b"\xef\xbb\xbfcode,name\r\nA,Kios\r\n",
            b"name;code\nKios;A",
            b"Code\tName \n A \tKios\n",
            b'"code","name","terminal"\n"A","Kios",""\n',
        ],
    )
    def test_reads_what_spreadsheets_write(self, tmp_path: Path, data: bytes) -> None:
        """Byte order mark, line ends, separators, quotes, order of columns, spaces, no last end."""
        found = read(tmp_path, data)

        assert [(2, {"code": "A", "name": "Kios", "terminal": ""})] == found.rows
        assert ([], hashlib.sha256(data).hexdigest()) == (found.problems, found.sha256)

    def test_reads_quoted_cells(self, tmp_path: Path) -> None:
        """A separator and a doubled quote inside of a cell are text; letters of any people too."""
        found = read(tmp_path, 'code,name\nA,"Kios ""Múria"", Wamena"\n'.encode())

        assert 'Kios "Múria", Wamena' == found.rows[0].cells["name"]

    def test_counts_rows_as_a_spreadsheet(self, tmp_path: Path) -> None:
        """The header is row 1; an empty row is passed over and counted."""
        found = read(tmp_path, b"code,name\nA,Kios\n,\n\nB,Toko\n")

        assert [2, 5] == [row.row for row in found.rows]


class TestProblems:
    def test_names_row_and_column(self, tmp_path: Path) -> None:
        """A row of another length, a cell that is too long, a hidden character."""
        found = read(
            tmp_path,
            b"code,name\nA\nB,Kios,1\nC," + b"x" * 201 + b'\nD,"two\nlines"\n\x07,\x00\nE,Kios\n',
        )

        assert [(2, ""), (3, ""), (4, "name"), (5, "name"), (6, "code"), (6, "name")] == [
            one[:2] for one in found.problems
        ]
        assert ["E"] == [row.cells["code"] for row in found.rows]
        assert CsvProblem(2, "", "This row has 1 cells, the header has 2.") == found.problems[0]

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            (b"", "has no column 'code', 'name'"),
            (b"code,nama\nA,Kios\n", "has no column 'name'"),
            (
                b"code,name,phone\n",
                "unknown column 'phone'; its columns are code, name, [terminal]",
            ),
            (b"code,name,code\n", "has twice the column 'code'"),
            ("code,name\nA,Kiós\n".encode("latin-1"), "line 2 holds other bytes"),
            ("code,name\n".encode("utf-16"), "UTF-16"),
            (b'code,name\nA,"Kios\n', "cannot be read as CSV at line"),
            (b'code,name\nA,"Kios"x\n', "cannot be read as CSV at line 2"),
        ],
    )
    def test_refuses_what_is_no_table(self, tmp_path: Path, data: bytes, sentence: str) -> None:
        """One sentence that says what is wrong with the file."""
        with pytest.raises(CommandRefused) as refused:
            read(tmp_path, data)

        assert sentence in str(refused.value)

    def test_refuses_a_file_without_end(self, tmp_path: Path) -> None:
        """A file that cannot be what was meant is not read into memory."""
        path = tmp_path / "outlets.csv"
        with path.open("wb") as file:
            file.truncate((64 << 20) + 1)

        with pytest.raises(CommandRefused, match="larger than 64 MB"):
            read_csv(path, required=("code",))
