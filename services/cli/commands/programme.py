"""``lesko programme``: where restricted money may go; a second person approves changes."""

from typing import Annotated, Final

import typer

from services.cli.commands.registry_entries import (
    GroupNames,
    Kind,
    MustReason,
    admin,
    given,
    register_reads,
    register_steps,
    tell,
)

KIND: Final = Kind("programme", ("number", "name", "groups", "status", "version"), what="Number")

Number = Annotated[int, typer.Argument(min=1, max=9_999, help="1 to 9999, as DE48 shows it.")]
Classes = Annotated[
    list[int] | None, typer.Option("--goods-class", help="An allowed class; none: every class.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of programmes to their group."""
    app.command("add")(add)
    app.command("set")(set_)
    register_steps(app, KIND, "pause", "resume", "close")
    register_reads(app, KIND)


def add(
    number: Number,
    *,
    name: Annotated[str, typer.Option(help="Its name, as people know it.")],
    group: Annotated[list[str], typer.Option("--group", help="Its money is taken there.")],
    goods_class: Classes = None,
    reason: MustReason,
) -> None:
    """Propose a new programme."""
    body = given(
        number=number, name=name, groups=group, goods_classes=goods_class or None, reason=reason
    )
    tell(KIND, admin().post(KIND.path, body))


def set_(
    number: Number,
    *,
    name: Annotated[str | None, typer.Option(help="Its new name.")] = None,
    group: GroupNames = None,
    goods_class: Classes = None,
    every_class: Annotated[bool, typer.Option("--every-class", help="Allow all goods.")] = False,
    reason: MustReason,
) -> None:
    """Propose a change of a programme; what is not given stays, lists are replaced."""
    classes = [] if every_class else goods_class or None
    body = given(name=name, groups=group or None, goods_classes=classes, reason=reason)
    tell(KIND, admin().patch(KIND.path_of(str(number)), body))
