"""``lesko approval reject``: the second person's no; the reason stays with the proposal."""

from typing import Annotated

import typer

from services.cli.admin_client import AdminClient
from services.cli.screen import screen
from services.cli.settings import Settings


def reject(
    number: Annotated[int, typer.Argument(min=1, help="The proposal's number.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; its maker reads it.")],
) -> None:
    """Close a proposal without doing it."""
    AdminClient(Settings()).post(f"/v1/proposals/{number}/reject", {"reason": reason})
    screen().print(f"Proposal {number} is rejected.")
