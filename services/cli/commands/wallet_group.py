"""``lesko wallet``: the commands about wallets, in one place for the tree."""

import typer

from services.cli.commands.wallet_adjust import adjust
from services.cli.commands.wallet_show import show
from services.cli.commands.wallet_statement import statement


def register(app: typer.Typer) -> None:
    """Add the commands of wallets to their group."""
    for command in (show, statement, adjust):
        app.command()(command)
