"""``lesko card issue|block|unblock|lost|stolen|recover|close``: change what a card may do."""

from collections.abc import Callable
from typing import Annotated, Final

import typer

from services.cli.admin_client import AdminClient
from services.cli.commands.card_commands import (
    PanStdin,
    reference_of,
    tell_card,
    wait_for,
    which_card,
)
from services.cli.settings import Settings

STEPS: Final = {
    "issue": "Let a new card be used.",
    "block": "Block a card until it is unblocked: its next purchase is refused.",
    "unblock": "Let a blocked card be used again.",
    "lost": "Stop a card that its holder has lost.",
    "stolen": "Stop a card that was stolen.",
    "recover": "Let a lost or stolen card be used again; a second person approves it.",
    "close": "Close a card for ever; its wallet and its money stay.",
}


def register(app: typer.Typer) -> None:
    """Add the steps to the group of cards."""
    for verb, text in STEPS.items():
        app.command(verb, help=text)(_step(verb))


def _step(verb: str) -> Callable[..., None]:
    def step(
        reference: Annotated[
            str | None, typer.Argument(help="As card show says it; else the number is asked for.")
        ] = None,
        *,
        pan_stdin: PanStdin = False,
        reason: Annotated[str, typer.Option(help="Why; it stands in the audit.")],
    ) -> None:
        client = AdminClient(Settings())
        found = reference_of(client, which_card(reference, pan_stdin=pan_stdin))
        answer = client.post(f"/v1/cards/{found}/{verb}", {"reason": reason})
        if "command" in answer:  # Of a proposal the client has told already.
            tell_card(wait_for(client, answer["command"]))

    return step
