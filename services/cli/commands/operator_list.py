"""``lesko operator list``: who there is, what for, and whether they can sign in."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from services.cli.admin_client import AdminClient
from services.cli.screen import screen, write_json, write_table
from services.cli.settings import Settings

_ROWS_AT_ONCE = 500


def list_(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show all operators, disabled ones too."""
    found = list(_all(AdminClient(Settings())))
    if as_json:
        write_json(found)
        return
    columns = ("login", "name", "role", "regions", "groups", "factor", "state")
    write_table(screen(), columns, [_row(one) for one in found])


def _all(client: AdminClient) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        page = client.get("/v1/operators", after=after, rows_max=_ROWS_AT_ONCE)
        yield from page["rows"]
        after = page["after"]
        if not after:
            return


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    return (
        one["login"],
        one["name"],
        one["role"],
        ", ".join(one["regions"]) or "all",
        ", ".join(one["groups"]) or "all",
        "yes" if one["has_factor"] else "no",
        one["state"],
    )
