"""``lesko audit list``: who did or tried what."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from services.cli.admin_client import AdminClient
from services.cli.screen import screen, write_json, write_table
from services.cli.settings import Settings


def list_(
    *,
    entity: Annotated[str, typer.Option(help="Only about this, such as outlet/BUMA1.")] = "",
    login: Annotated[str, typer.Option(help="Only by this operator.")] = "",
    before: Annotated[int, typer.Option(min=0, help="Only rows below this number.")] = 0,
    rows: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show rows of the audit, newest first; also what was refused."""
    client = AdminClient(Settings())
    found = client.get("/v1/audit", entity=entity, login=login, before=before, rows_max=rows)
    if as_json:
        write_json(found)
        return
    columns = ("no", "when", "who", "action", "entity", "result", "content")
    write_table(screen(), columns, [_row(one) for one in found["rows"]])


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    at = datetime.fromtimestamp(one["at_ms"] / 1_000, UTC)
    return (
        str(one["no"]),
        f"{at:%Y-%m-%d %H:%M:%S} UTC",
        one["login"] or "nobody signed in",
        one["action"],
        one["entity"],
        one["result"],
        one["content"],
    )
