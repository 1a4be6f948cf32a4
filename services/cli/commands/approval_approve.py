"""``lesko approval approve``: the second person's yes, to exactly what was shown."""

from typing import Annotated

import typer

from services.cli.admin_client import AdminClient
from services.cli.commands.approval_show import show_proposal
from services.cli.commands.card_commands import wait_for
from services.cli.faults import CommandRefused
from services.cli.screen import screen, write_json
from services.cli.settings import Settings


def approve(
    number: Annotated[int, typer.Argument(min=1, help="The proposal's number.")],
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask; needs --hash of what you have read.")
    ] = False,
    agreed: Annotated[
        str, typer.Option("--hash", help="The hash that lesko approval show printed.")
    ] = "",
) -> None:
    """Show what was proposed, ask, and have it done; who proposed it may not approve it."""
    if yes and not agreed:
        message = "--yes needs --hash, from lesko approval show: it says what you have agreed to."
        raise CommandRefused(message)
    client = AdminClient(Settings())
    if not agreed or not yes:
        found = client.get(f"/v1/proposals/{number}")
        show_proposal(screen(), found)
        if agreed and agreed != found["hash"]:
            message = "The hash is not the one of this proposal; read it again."
            raise CommandRefused(message)
        if not typer.confirm("Approve this?"):
            raise typer.Exit(1)
        agreed = found["hash"]
    result = client.post(f"/v1/proposals/{number}/approve", {"hash": agreed})
    if "command" in result:
        screen().print(f"Proposal {number} is approved; the service that does it says:")
        write_json(wait_for(client, str(result["command"])))
        return
    screen().print(f"Proposal {number} is approved and done.")
    if result:
        write_json(result)
