"""``lesko card import``: new cards from a CSV file, all of them or none."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from libs.clock import SystemClock
from services.cli.admin_client import AdminClient
from services.cli.faults import CommandRefused
from services.cli.screen import progress_bar, screen, write_table
from services.cli.settings import Settings

_PART_BYTES: Final = 1 << 18
_LOOK_EVERY_S: Final = 0.3
_PATIENCE_MS: Final = 300_000
"""Without any progress; the switch may be starting anew meanwhile."""
PROBLEMS_SHOWN: Final = 100


def import_(
    file: Annotated[
        Path, typer.Argument(help="CSV with card_number, product, expiry (YYMM or MM/YY).")
    ],
    *,
    check: Annotated[bool, typer.Option("--check", help="Write nothing, list problems.")] = False,
) -> None:
    """Import new cards, inactive, each with a wallet of its own; those that exist stay as they are.

    The file holds card numbers in clear: delete it afterwards. Every problem of the whole file is
    listed first, and nothing is written until there is none.
    """
    client = AdminClient(Settings())
    with progress_bar(screen()) as bar:
        size = file.stat().st_size
        sending = bar.add_task("reading", total=size)

        def parts() -> Iterator[bytes]:
            with file.open("rb") as opened:
                while part := opened.read(_PART_BYTES):
                    yield part
                    bar.advance(sending, len(part))

        answer = client.upload(
            "/v1/cards/import", parts(), "text/csv", check="true" if check else None
        )
    if not answer["is_imported"]:
        _tell_problems(file, answer, check=check)
        return
    done = _wait(client, answer)
    screen().print(
        f"Imported {file}: {done['created']:,} new cards, {done['known']:,} were there already. "
        "They are inactive until lesko card issue. Delete the file: it holds card numbers."
    )
    if done["failed"]:
        message = f"{done['failed']} parts of {file} failed; see lesko dead list, then try again."
        raise CommandRefused(message)


def _wait(client: AdminClient, answer: dict[str, Any]) -> dict[str, Any]:
    """Return how the import ended; raises CommandRefused where it goes on without us."""
    path, before, clock = f"/v1/cards/imports/{answer['file']}", -1, SystemClock()
    moved_ms = clock.monotonic_ms()
    with progress_bar(screen()) as bar:
        importing = bar.add_task("importing", total=answer["rows"])
        while True:
            found: dict[str, Any] = client.get(path)
            bar.update(importing, completed=found["created"] + found["known"])
            if found["closed"] == found["commands"]:
                return found
            if found["closed"] > before:
                before, moved_ms = found["closed"], clock.monotonic_ms()
            if clock.monotonic_ms() - moved_ms > _PATIENCE_MS:
                message = (
                    "Authorization does not answer. The import is kept and goes on as soon as it "
                    "is back; the same file again does no harm."
                )
                raise CommandRefused(message)
            time.sleep(_LOOK_EVERY_S)


def _tell_problems(file: Path, answer: dict[str, Any], *, check: bool) -> None:
    count = answer["count"]
    if check and not count:
        screen().print(f"{file} has no problem: {answer['rows']:,} rows. Nothing was written.")
        return
    shown = answer["problems"][:PROBLEMS_SHOWN]
    cells = [(str(one["row"]), one["column"], one["sentence"]) for one in shown]
    write_table(screen(), ("row", "column", "what is wrong"), cells)
    more = f", of which {len(shown)} are shown" if count > len(shown) else ""
    message = f"{file} has {count:,} problems{more}; nothing was written. Mend them and try again."
    raise CommandRefused(message)
