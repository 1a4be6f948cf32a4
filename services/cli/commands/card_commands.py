"""What the commands about cards have in common: which card, waiting for the result, saying it."""

import re
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from services.cli.admin_client import AdminClient
from services.cli.faults import CommandRefused
from services.cli.screen import screen

WAIT_MS: Final = 10_000
WAITS_MAX: Final = 3
_REFERENCE: Final = re.compile(r"[0-9a-f]{32}")
_NUMBER: Final = re.compile(r"[0-9]{12,19}", re.ASCII)

PanStdin = Annotated[
    bool, typer.Option("--pan-stdin", help="Read the card number from a line of the input.")
]


def is_reference(text: str) -> bool:
    """Tell whether this is a reference, as `lesko card show` says it."""
    return _REFERENCE.fullmatch(text) is not None


def ask_number(*, pan_stdin: bool) -> str:
    """Take a card number from the input or, unseen, from the terminal."""
    found = sys.stdin.readline() if pan_stdin else typer.prompt("Card number", hide_input=True)
    number: str = found.strip()
    if _NUMBER.fullmatch(number) is None:
        message = "That is no card number: it has 12 to 19 digits, no spaces."  # Not repeated.
        raise CommandRefused(message)
    return number


def which_card(reference: str | None, *, pan_stdin: bool) -> dict[str, str]:
    """Return what names a card in a body; its number stands on no command line."""
    if reference is None:
        return {"number": ask_number(pan_stdin=pan_stdin)}
    if pan_stdin:
        message = "Name one card: its reference, or --pan-stdin to read its number."
        raise CommandRefused(message)
    if not is_reference(reference):
        message = (
            "That is no reference, which has 32 of 0-9 and a-f. A card number does not belong on "
            "a command line: leave it out and it is asked for, or pass it with --pan-stdin."
        )
        raise CommandRefused(message)
    return {"reference": reference}


def find_card(client: AdminClient, which: Mapping[str, str]) -> dict[str, Any]:
    """Return the card as admin shows it; raises CommandRefused."""
    found: dict[str, Any] = client.post("/v1/cards/find", which)
    return found


def reference_of(client: AdminClient, which: Mapping[str, str]) -> str:
    """Return a card's reference; raises CommandRefused for a number that is not known."""
    known = which.get("reference")
    return known if known is not None else str(find_card(client, which)["reference"])


def wait_for(client: AdminClient, command: str) -> dict[str, Any]:
    """Return a command's answer; raises CommandRefused where there is none yet."""
    for _ in range(WAITS_MAX):
        found = client.get(f"/v1/commands/{command}", wait_ms=WAIT_MS)
        if found["is_closed"]:
            answer: dict[str, Any] = found["answer"]
            return answer
    message = (
        "Nobody has answered yet. It is kept and done as soon as the switch is up again; look with "
        "lesko card show."
    )
    raise CommandRefused(message)


def tell_card(answer: Mapping[str, Any]) -> None:
    """Say what a card is now; raises CommandRefused where it was not done."""
    card = answer.get("card")
    match answer["result"], card:
        case "done", dict():
            screen().print(f"Card {card['masked']}: {card['status']}.")
        case "wrong_status", dict():
            message = f"Card {card['masked']} is {card['status']}; nothing was changed."
            raise CommandRefused(message)
        case "unknown_card", _:
            message = "This card is not known here."
            raise CommandRefused(message)
        case _:
            message = "It could not be done; see lesko dead list and the log of authorization."
            raise CommandRefused(message)
