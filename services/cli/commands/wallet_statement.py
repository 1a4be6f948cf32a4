"""``lesko wallet statement``: what moved in a wallet, on the screen or as a file."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from libs.contracts.transfers import TransferKind
from libs.money import rupiah
from services.cli.admin_client import AdminClient
from services.cli.commands.wallet_show import purse_name
from services.cli.faults import CommandRefused
from services.cli.screen import screen, write_json, write_table
from services.cli.settings import Settings

_FILES: Final = ("csv", "pdf")
_DAY: Final = ["%Y-%m-%d"]


def statement(
    wallet: Annotated[int, typer.Argument(help="Number of the wallet, as card show tells it.")],
    *,
    first: Annotated[datetime, typer.Option("--from", formats=_DAY, help="First booking day.")],
    last: Annotated[datetime, typer.Option("--to", formats=_DAY, help="Last booking day.")],
    form: Annotated[str, typer.Option("--format", help="table, json, csv or pdf.")] = "table",
    out: Annotated[
        Path | None, typer.Option(help="The file to write; csv and pdf need one.")
    ] = None,
) -> None:
    """Show a wallet's movements with opening and closing balance for each purse."""
    path = f"/v1/wallets/{wallet}/statement"
    period = {"first": first.date().isoformat(), "last": last.date().isoformat()}
    client = AdminClient(Settings())
    if form in _FILES:
        if out is None:
            message = f"Say where the {form} file shall go: --out statement.{form}"
            raise CommandRefused(message)
        out.write_bytes(client.read(path, **period, format=form))
        screen().print(f"Wrote {out}.")
    elif form == "json":
        write_json(client.get(path, **period))
    elif form == "table":
        _show(client.get(path, **period))
    else:
        message = f"There is no format {form}; there are table, json, csv and pdf."
        raise CommandRefused(message)


def _show(found: Any) -> None:
    console = screen()
    write_table(
        console,
        ("purse", "opening", "debits", "credits", "closing"),
        [
            (purse_name(one["purse"]), rupiah(one["opening_minor"]), rupiah(one["debits_minor"]),
             rupiah(one["credits_minor"]), rupiah(one["closing_minor"]))
            for one in found["purses"]
        ],
        title=f"Wallet {found['wallet']}, {found['first']} to {found['last']}",
    )  # fmt: skip
    write_table(
        console,
        ("booked on", "what", "purse", "outlet", "terminal", "rrn", "amount", "balance", "note"),
        [_movement(one) for one in found["movements"]],
    )


def _movement(one: Any) -> tuple[str, ...]:
    note = " / ".join(part for part in (one["reason"], one["document"]) if part)
    return (
        one["booked_on"], TransferKind(one["kind"]).name.lower(), purse_name(one["purse"]),
        one["outlet"], one["terminal"], one["rrn"], rupiah(one["amount_minor"]),
        rupiah(one["balance_minor"]), note,
    )  # fmt: skip
