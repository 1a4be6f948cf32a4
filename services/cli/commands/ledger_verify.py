"""``lesko ledger verify``: have the books checked by somebody who trusts only their hashes."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from libs.money import rupiah
from services.card_ledger.handlers.verify_books import Report
from services.card_ledger.main import verify as verify_books
from services.card_ledger.settings import Settings as LedgerSettings
from services.cli.database import own_settings
from services.cli.heads import heads_json, read_heads
from services.cli.screen import screen, write_json
from services.cli.settings import Settings


def verify(
    *,
    head: Annotated[
        Path | None,
        typer.Option(help="Heads noted outside, by lesko heads publish or ledger head --json."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Check chain, gaps, sum, once-only and projections; exit code 1 when anything is wrong."""
    published = None if head is None else read_heads(head)
    over = own_settings(Settings(), "card_ledger")
    report = asyncio.run(verify_books(LedgerSettings.model_validate(over), published=published))
    if as_json:
        write_json(_as_json(report))
    else:
        _show(report, compared=len(published or {}))
    if not report.is_clean:
        raise typer.Exit(1)


def _as_json(report: Report) -> dict[str, object]:
    return {
        "clean": report.is_clean,
        "findings": report.findings,
        "partitions": report.partitions,
        "batches": report.batches,
        "rows": report.rows,
        "accounts": report.accounts,
        "total_minor": report.total_minor,
        **heads_json(report.heads),
    }


def _show(report: Report, *, compared: int) -> None:
    console = screen()
    console.print(
        f"{report.rows} rows in {report.batches} batches of {report.partitions} partitions, "
        f"{report.accounts} accounts; all together hold {rupiah(report.total_minor)}.",
    )
    for finding in report.findings:
        console.print(f"  {finding}")
    if not report.is_clean:
        console.print(f"The books are NOT clean: {len(report.findings)} findings.")
        return
    against = f", up to the {compared} heads given" if compared else "; no head from outside given"
    console.print(f"The books are clean{against}.")
