"""``lesko card``: the commands about cards, in one place for the tree."""

import typer

from services.cli.commands import card_steps
from services.cli.commands.card_import import import_
from services.cli.commands.card_show import show


def register(app: typer.Typer) -> None:
    """Add the commands of cards to their group."""
    app.command("show")(show)
    app.command("import")(import_)
    card_steps.register(app)
