"""``lesko wallet adjust``: propose a manual adjustment, which a second person approves."""

from typing import Annotated

import typer

from services.cli.admin_client import AdminClient
from services.cli.faults import CommandRefused
from services.cli.money import parse_rupiah
from services.cli.settings import Settings


def adjust(
    wallet: Annotated[int, typer.Argument(help="Number of the wallet, as card show tells it.")],
    *,
    credit: Annotated[str, typer.Option(help="Rupiah to put into the purse.")] = "",
    debit: Annotated[str, typer.Option(help="Rupiah to take out of the purse.")] = "",
    purse: Annotated[int, typer.Option(help="0: the own purse; 1 to 5: a restricted one.")] = 0,
    reason: Annotated[str, typer.Option(help="Why, in one sentence.")],
    document: Annotated[str, typer.Option(help="Reference of the paper behind it.")],
) -> None:
    """Propose to correct what a purse holds; nothing moves before a second person approves."""
    if bool(credit) == bool(debit):
        message = "Give one amount: --credit puts money into the purse, --debit takes it out."
        raise CommandRefused(message)
    AdminClient(Settings()).post(
        f"/v1/wallets/{wallet}/adjustments",
        {
            "purse": purse,
            "amount_minor": parse_rupiah(credit or debit),
            "direction": "credit" if credit else "debit",
            "reason": reason,
            "document": document,
        },
    )
