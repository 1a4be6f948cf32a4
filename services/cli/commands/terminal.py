"""``lesko terminal``: the devices of outlets (DE41)."""

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

KIND: Final = Kind("terminal", ("code", "outlet", "listener", "may_omit_mac", "status", "version"))

Code = Annotated[str, typer.Argument(help="DE41, 8 characters.")]
Listener = Annotated[str | None, typer.Option(help="The listener that it must come in by: edc.")]
Mac = Annotated[
    bool | None, typer.Option("--without-mac/--with-mac", help="Pilot only: it may omit the MAC.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of terminals to their group."""
    app.command("add")(add)
    app.command("set")(set_)
    register_steps(app, KIND, "pause", "resume", "close")
    register_reads(app, KIND)


def add(
    code: Code,
    *,
    outlet: Annotated[str, typer.Option(help="DE42 of the outlet that it stands in.")],
    listener: Listener = None,
    without_mac: Mac = None,
    reason: MayReason = "",
) -> None:
    """Add a terminal to an outlet."""
    body = given(
        code=code, outlet=outlet, listener=listener, may_omit_mac=without_mac, reason=reason
    )
    tell(KIND, admin().post(KIND.path, body))


def set_(
    code: Code,
    *,
    outlet: Annotated[str | None, typer.Option(help="Move it into this outlet.")] = None,
    listener: Listener = None,
    without_mac: Mac = None,
    reason: MayReason = "",
) -> None:
    """Change a terminal; what is not given stays."""
    body = given(outlet=outlet, listener=listener, may_omit_mac=without_mac, reason=reason)
    tell(KIND, admin().patch(KIND.path_of(code), body))
