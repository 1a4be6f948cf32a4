"""A statement as PDF: every row on some page, drawn by a process that can be ended."""

import asyncio
import re
import zlib
from base64 import a85decode
from datetime import date
from typing import Any

import pytest

from services.admin.adapters import pdf_process
from services.admin.adapters.pdf_process import PdfFailed, PdfProcess
from services.admin.adapters.statement_pdf import from_text, to_text, write_pdf
from services.admin.domain.statement import Entry, PurseStatement, Statement

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)


def a_statement(entries: int, **more: Any) -> Statement:
    """A wallet with two purses and so many movements of the own one."""
    return Statement(
        7_000_001,
        FIRST,
        LAST,
        (PurseStatement(0, 0, 0, 0, 100, 100), PurseStatement(1, 12, 1_500_000_25, 0, 0, 1)),
        tuple(
            Entry(
                number, date(2026, 11, 24), 13, 0, 0, number, number, "BUMA00000000001",
                "LSK00001", 5, f"{number:012d}",
            )._replace(**more)
            for number in range(1, entries + 1)
        ),
    )  # fmt: skip


def texts_of(file: bytes) -> list[str]:
    """All that is written on the pages of a file, page after page."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", file, re.DOTALL):
        page = zlib.decompress(a85decode(b"<~" + stream.strip(), adobe=True))
        found.append(" ".join(re.findall(r"\(((?:[^()\\]|\\.)*)\) Tj", page.decode("latin-1"))))
    return found


class TestWritePdf:
    def test_shows_whose_statement_it_is(self) -> None:
        """In Indonesian: number, period, each purse's balances."""
        (page,) = texts_of(write_pdf(a_statement(1)))

        for text in (
            "Rekening koran dompet",
            "Nomor dompet: 7000001",
            "Periode: 1 November 2026 s.d. 30 November 2026.",
            "Program 0012",
            "1.500.000,25",
            "Halaman 1 dari 1",
        ):
            assert text in page

    @pytest.mark.parametrize("entries", [0, 1, 31, 32, 33, 34, 80, 200])
    def test_shows_every_row_once(self, entries: int) -> None:
        """Whatever the pages; each page says which one it is."""
        pages = texts_of(write_pdf(a_statement(entries)))
        numbers = re.findall(r"\b(\d{12})\b", " ".join(pages))

        assert [f"{number:012d}" for number in range(1, entries + 1)] == numbers
        assert all(
            f"Halaman {number} dari {len(pages)}" in page
            for number, page in enumerate(pages, start=1)
        )

    def test_keeps_a_note_with_its_movement(self) -> None:
        """Reason and document stand below it, on the same page."""
        pages = texts_of(write_pdf(a_statement(100, reason="Selisih kas", document="BA-17")))

        assert len(pages) > 2
        for page in pages:
            assert len(re.findall(r"\b\d{12}\b", page)) == page.count("Selisih kas / BA-17")

    def test_draws_what_people_wrote_in_other_scripts(self) -> None:
        """A letter that the font lacks is no reason to fail."""
        assert write_pdf(a_statement(1, reason="漢字 (a\\b)")).startswith(b"%PDF")

    def test_gives_the_same_bytes_again(self) -> None:
        """No time of making stands in it."""
        assert write_pdf(a_statement(3)) == write_pdf(a_statement(3))

    def test_travels_to_the_program_and_back(self) -> None:
        """What the program reads is what it was given."""
        statement = a_statement(3, reason="é\n漢")

        assert statement == from_text(to_text(statement))


class TestPdfProcess:
    async def test_draws_while_others_are_served(self) -> None:
        """The loop turns meanwhile, and the file is the same one."""
        statement, turns = a_statement(300), 0
        drawing = asyncio.create_task(PdfProcess()(statement))
        while not drawing.done():
            turns += 1
            await asyncio.sleep(0.001)

        assert write_pdf(statement) == drawing.result()
        assert turns > 20

    async def test_says_when_it_failed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A program that ends badly gives no file."""
        monkeypatch.setattr(pdf_process, "_PROGRAM", "services.admin.adapters.no_such_program")

        with pytest.raises(PdfFailed, match="ended with"):
            await PdfProcess()(a_statement(1))
