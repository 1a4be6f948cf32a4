"""``lesko ledger close-day``: what each account did on a booking day that is over."""

import asyncio
import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final, TextIO

import typer
from rich.console import Console

from libs.contracts.accounts import kind_of, owner_of, sub_of
from libs.money import rupiah
from services.card_ledger.domain.closing import AccountDay, DayTotals
from services.card_ledger.main import close_day as close_books_day
from services.card_ledger.settings import Settings as LedgerSettings
from services.cli.database import own_settings
from services.cli.faults import CommandRefused
from services.cli.settings import Settings

_COLUMNS: Final = (
    "booked_on", "account", "kind", "owner", "purse_or_shard", "opening", "debits", "credits",
    "closing",
)  # fmt: skip
_UNFINISHED: Final = ".part"


def close_day(
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="A booking day.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Write the CSV to this file instead of the screen.")
    ] = None,
) -> None:
    """Write every account's opening, debits, credits and closing of a day that is over, as CSV.

    The totals are compared with the ledger; exit code 1 when anything differs, and then the file
    keeps its name with .part behind it.
    """
    settings = LedgerSettings.model_validate(own_settings(Settings(), "card_ledger"))
    if out is None:
        totals = _close(settings, day.date(), sys.stdout)
    else:
        totals = _close_into(settings, day.date(), out)
    _tell(totals, day.date())
    if totals.findings:
        raise typer.Exit(1)


def _close(settings: LedgerSettings, day: date, text: TextIO) -> DayTotals:
    # As spreadsheets in Indonesia read it: the comma is the decimal mark there.
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(_COLUMNS)

    def write(line: AccountDay) -> None:
        try:
            writer.writerow(_row(day, line))
        except OSError as trouble:  # Not the database's, in whose snapshot this is called.
            message = f"The sheet cannot be written: {trouble.strerror}."
            raise CommandRefused(message) from None

    return asyncio.run(close_books_day(settings, day, write))


def _close_into(settings: LedgerSettings, day: date, out: Path) -> DayTotals:
    if not out.parent.is_dir():
        message = f"There is no directory {out.parent}; make it first."
        raise CommandRefused(message)
    unfinished = out.with_name(out.name + _UNFINISHED)
    with _opened(unfinished) as text:
        totals = _close(settings, day, text)
    if not totals.findings:
        unfinished.replace(out)
    return totals


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """Open a file for the block; one that failed on the way leaves nothing behind."""
    try:
        with path.open("w", encoding="utf-8", newline="") as text:
            yield text
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _row(day: date, line: AccountDay) -> tuple[object, ...]:
    number = line.account
    return (
        day, number, kind_of(number).name.lower(), owner_of(number), sub_of(number),
        _plain(line.opening), _plain(line.debits), _plain(line.credits), _plain(line.closing),
    )  # fmt: skip


def _plain(amount: int) -> str:
    whole, sen = divmod(abs(amount), 100)
    return f"{'-' if amount < 0 else ''}{whole},{sen:02d}"


def _tell(totals: DayTotals, day: date) -> None:
    # Beside the CSV, which may go to the standard output.
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    console.print(
        f"{day}: {totals.accounts} accounts, opening {rupiah(totals.opening)}, debits"
        f" {rupiah(totals.debits)}, credits {rupiah(totals.credits)}, closing"
        f" {rupiah(totals.closing)}."
    )
    for finding in totals.findings:
        console.print(f"  {finding}")
    if totals.findings:
        console.print(f"The day does NOT close: {len(totals.findings)} findings.")
    else:
        console.print("The day closes: the totals are the ledger's.")
