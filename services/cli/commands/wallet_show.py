"""``lesko wallet show``: a wallet's purses and what they hold."""

from typing import Annotated, Any

import typer

from libs.money import rupiah
from libs.outcome import Outcome
from services.cli.admin_client import AdminClient
from services.cli.screen import screen, write_json, write_table
from services.cli.settings import Settings


def show(
    wallet: Annotated[int, typer.Argument(help="Number of the wallet, as card show tells it.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show a wallet's purses as of the last committed row."""
    found = AdminClient(Settings()).get(f"/v1/wallets/{wallet}")
    if as_json:
        write_json(found)
        return
    rows = [
        (purse_name(one["purse"]), _programme(one["programme"]), rupiah(one["balance_minor"]))
        for one in found["purses"]
    ]
    write_table(
        screen(), ("purse", "programme", "balance"), rows, title=f"Wallet {found['wallet']}"
    )
    if found["adjustments"]:
        write_table(
            screen(),
            ("adjusted on", "document", "reason", "the ledger's answer"),
            [_adjustment(one) for one in found["adjustments"]],
        )


def _adjustment(one: Any) -> tuple[str, ...]:
    return one["made_on"], one["document"], one["reason"], _told(one["answer"])


def _told(answer: Any) -> str:
    if answer is None:
        return "none yet"
    outcome = answer.get("outcome")
    return answer["result"] if outcome is None else Outcome[outcome.upper()].value.text_en


def purse_name(purse: int) -> str:
    """Name a purse as all commands do."""
    return "own" if purse == 0 else f"restricted {purse}"


def _programme(programme: int) -> str:
    return f"{programme:04d}" if programme else ""
