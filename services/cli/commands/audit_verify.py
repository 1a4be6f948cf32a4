"""``lesko audit verify``: have the audit's chain checked, also against heads kept outside."""

from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.admin_client import AdminClient
from services.cli.heads import read_audit_heads
from services.cli.screen import screen, write_json
from services.cli.settings import Settings


def verify(
    *,
    head: Annotated[
        list[Path] | None,
        typer.Option(help="A head noted outside by lesko heads publish; may be given again."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Walk the audit from its first row; exit code 1 when anything was changed."""
    published = read_audit_heads(head or [])
    found = AdminClient(Settings()).post("/v1/audit/verify", {"published": published})
    if as_json:
        write_json(found)
    else:
        _show(found)
    if not found["clean"]:
        raise typer.Exit(1)


def _show(found: dict[str, Any]) -> None:
    console = screen()
    if found["clean"]:
        compared = found["compared"]
        against = f", up to the {compared} heads given" if compared else "; no head from outside"
        console.print(f"{found['rows']} rows of the audit are sound{against}.")
        return
    broken = found["broken"]
    console.print(f"The audit is NOT sound: row {broken['no']}: {broken['problem']}.")
    console.print(f"{found['rows']} rows before it fit.")
