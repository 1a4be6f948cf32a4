"""``lesko migrate``: bring the tables of all services forward."""

import asyncio
from typing import Annotated

import typer

from services.cli.database import need_dsn
from services.cli.screen import screen, write_json
from services.cli.settings import Settings
from services.cli.store.schemas import migrate_all


def migrate(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Bring the tables of all services forward; a second run changes nothing."""
    applied = asyncio.run(migrate_all(need_dsn(Settings()).get_secret_value()))
    if as_json:
        write_json(applied)
        return
    console = screen()
    for schema, names in applied.items():
        what = ", ".join(names) if names else "up to date"
        console.print(f"{schema}: {what}")
