"""``lesko approval``: the commands of the second person, in one place for the tree."""

import typer

from services.cli.commands.approval_approve import approve
from services.cli.commands.approval_list import list_
from services.cli.commands.approval_reject import reject
from services.cli.commands.approval_show import show


def register(app: typer.Typer) -> None:
    """Add the commands of approvals to their group."""
    app.command("list")(list_)
    for command in (show, approve, reject):
        app.command()(command)
