"""``lesko restore``: the database as it was at a moment, in an empty place, verified."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from pydantic import SecretStr
from rich.console import Console

from libs.clock import SystemClock, business_day
from libs.pg import open_pool
from libs.pg.restore import restore_server
from libs.pg.server import Server, start_server
from services.card_ledger.main import recover as recover_books
from services.card_ledger.main import verify as verify_books
from services.card_ledger.settings import Settings as LedgerSettings
from services.cli.backups import OWN_SERVER, need_key
from services.cli.faults import CommandRefused
from services.cli.screen import screen, write_table
from services.cli.settings import Settings
from services.cli.store.book_ends import BookEnd, book_ends

LATEST = "latest"


def restore(
    *,
    source: Annotated[Path, typer.Option("--from", help="The directory of lesko backup.")],
    into: Annotated[Path, typer.Option("--into", help="A new home; must be empty or absent.")],
    to: Annotated[
        str, typer.Option("--to", help="latest, or a moment as 2026-11-25T10:00:00+09:00.")
    ] = LATEST,
) -> None:
    """Bring the database back in a new home, start it once, verify the books, say how far they go.

    The database in use is never touched.
    """
    settings = Settings()
    moment, key = _moment(to), need_key(settings)
    home = into.absolute()
    if home.exists() and any(home.iterdir()):
        message = f"{home} holds data; nothing is restored over data: name another place."
        raise CommandRefused(message)
    console = screen()

    async def work() -> bool:
        root = home / OWN_SERVER
        binaries = settings.backup.binaries
        await restore_server(
            source.absolute(), key, root, to=moment, binaries=binaries, report=console.print
        )
        async with start_server(root, binaries=binaries, report=console.print) as server:
            return await _look(server, console)

    is_clean = asyncio.run(work())
    console.print(
        f"The database stands in {home}. Put the keys of the cards into {home / 'keys'}, let "
        "LESKO_BACKUP__DIRECTORY name an empty place (the old one takes nothing of this server), "
        f"then: LESKO_HOME={home} lesko run --empty, and lesko backup before trading goes on. "
        "On Kafka the ledger will not start before lesko ledger recover has brought back "
        "what was booked after that moment."
    )
    if not is_clean:
        raise typer.Exit(1)


async def _look(server: Server, console: Console) -> bool:
    """Verify the books and show how far they go; what they write next is another incarnation."""
    dsn = SecretStr(server.maker_dsn)  # Whatever the roles are, it may read.
    settings = LedgerSettings.model_validate({"postgres": {"dsn": dsn}})
    clock = SystemClock()
    today = business_day(clock.now_ms(), ZoneInfo(settings.card_ledger.business_zone))
    await recover_books(settings, None, today, lambda _: None)
    report = await verify_books(settings)
    async with open_pool(dsn, name="lesko restore", size=1) as pool:
        ends = await book_ends(pool)
    rows = [(str(each.partition), str(each.batch_no), _time(each)) for each in ends]
    write_table(console, ("partition", "batch", "written at"), rows)
    last = max((each.at_ms for each in ends), default=0)
    console.print(
        f"The books go up to {_utc(last)}."
        if last
        else "The books are empty: nothing was booked up to that moment."
    )
    for finding in report.findings:
        console.print(f"  {finding}")
    console.print(
        f"The books are clean: {report.rows} rows in {report.batches} batches."
        if report.is_clean
        else f"The books are NOT clean: {len(report.findings)} findings."
    )
    return report.is_clean


def _moment(text: str) -> datetime | None:
    if text == LATEST:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        message = (
            f"--to {text} is no moment: write latest, or date, time and zone, "
            "as 2026-11-25T10:00:00+09:00."
        )
        raise CommandRefused(message)
    return found.astimezone(UTC)


def _time(end: BookEnd) -> str:
    return _utc(end.at_ms) if end.at_ms else ""


def _utc(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
