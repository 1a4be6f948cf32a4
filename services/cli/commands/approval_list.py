"""``lesko approval list``: what waits for a second person."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from services.cli.admin_client import AdminClient
from services.cli.screen import screen, write_json, write_table
from services.cli.settings import Settings


def list_(
    *,
    all_: Annotated[bool, typer.Option("--all", help="Decided ones too.")] = False,
    rows: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show proposals that wait for a second person, newest first."""
    is_open = "false" if all_ else "true"
    found = AdminClient(Settings()).get("/v1/proposals", open=is_open, rows_max=rows)
    if as_json:
        write_json(found)
        return
    columns = ("no", "made", "by", "action", "entity", "state", "decided by", "reason")
    write_table(screen(), columns, [_row(one) for one in found["proposals"]])


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    made = datetime.fromtimestamp(one["made_ms"] / 1_000, UTC)
    return (
        str(one["number"]),
        f"{made:%Y-%m-%d %H:%M} UTC",
        one["maker"],
        one["action"],
        one["entity"],
        one["state"],
        one["checker"],
        one["decision"] or one["reason"],
    )
