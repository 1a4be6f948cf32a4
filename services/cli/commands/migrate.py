"""``lesko migrate``: the roles, tables and rights of all services."""

import asyncio
from typing import Annotated

import typer

from services.cli.database import need_dsn
from services.cli.logins import logins_of
from services.cli.screen import screen, write_json
from services.cli.settings import Settings
from services.cli.tables import Forward, bring_forward


def migrate(
    *,
    new_passwords: Annotated[
        bool,
        typer.Option("--new-passwords", help="Give each service's role another password."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Bring roles, tables and rights of all services forward; a second run changes nothing.

    As the owner of the database. Services that run go on meanwhile; after --new-passwords they
    are started again one by one.
    """
    settings = Settings()
    logins = logins_of(settings, need_dsn(settings))
    done = asyncio.run(bring_forward(logins, new_passwords=new_passwords))
    if as_json:
        write_json({**done.applied, "roles": done.roles, "rights": done.rights})
        return
    _show(done)


def _show(done: Forward) -> None:
    console = screen()
    for schema, names in done.applied.items():
        what = ", ".join(names) if names else "up to date"
        console.print(f"{schema}: {what}")
    console.print(f"roles: {', '.join(done.roles) if done.roles else 'up to date'}")
    console.print(f"rights: {len(done.rights)} changes" if done.rights else "rights: up to date")
