"""``lesko audit``, ``lesko heads``, ``lesko admin``: small groups, in one place for the tree."""

import typer

from services.cli.commands.admin_openapi import openapi
from services.cli.commands.audit_list import list_
from services.cli.commands.audit_verify import verify
from services.cli.commands.heads_publish import publish


def register(app: typer.Typer) -> None:
    """Add the commands of the audit to their group."""
    app.command("list")(list_)
    app.command()(verify)


def register_heads(app: typer.Typer) -> None:
    """Add the commands of published heads to their group."""
    app.callback()(_nothing)
    app.command()(publish)


def register_admin(app: typer.Typer) -> None:
    """Add the commands about the API itself to their group."""
    app.callback()(_nothing)
    app.command()(openapi)


def _nothing() -> None:
    """Keep a group of one command a group."""
