"""``lesko operator``: the commands about people, in one place for the tree."""

import typer

from services.cli.commands.operator_enrol import enrol
from services.cli.commands.operator_init import init, rescue
from services.cli.commands.operator_list import list_
from services.cli.commands.operator_rights import add, disable, reset, role


def register(app: typer.Typer) -> None:
    """Add the commands of operators to their group."""
    app.command("list")(list_)
    for command in (init, add, enrol, role, reset, disable, rescue):
        app.command()(command)
