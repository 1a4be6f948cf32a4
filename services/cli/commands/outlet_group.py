"""``lesko group``: sets of outlets that programmes, products and scopes name."""

from typing import Annotated, Final

import typer

from services.cli.commands.registry_entries import (
    Kind,
    MayReason,
    admin,
    given,
    register_reads,
    register_steps,
    tell,
)

KIND: Final = Kind("group", ("code", "name", "status", "version"))

Code = Annotated[str, typer.Argument(help="Code of the group.")]
Name = Annotated[str, typer.Option(help="Its name, as people know it.")]


def register(app: typer.Typer) -> None:
    """Add the commands of outlet groups to their group."""
    app.command("add")(add)
    app.command("set")(set_)
    register_steps(app, KIND, "close")
    register_reads(app, KIND)


def add(code: Code, *, name: Name, reason: MayReason = "") -> None:
    """Add an outlet group."""
    tell(KIND, admin().post(KIND.path, given(code=code, name=name, reason=reason)))


def set_(code: Code, *, name: Name, reason: MayReason = "") -> None:
    """Change the name of an outlet group."""
    tell(KIND, admin().patch(KIND.path_of(code), given(name=name, reason=reason)))
