"""``lesko card show``: one card, its wallet, what it holds and what happened last."""

import asyncio
import sys
from dataclasses import dataclass
from typing import Annotated

import typer

from libs.contracts.accounts import sub_of
from libs.iso8583 import Pan
from libs.money import rupiah
from libs.outcome import Outcome
from libs.pg import open_pool
from libs.vault import read_token_key
from services.authorization.store.cards import CardShown, CardStore
from services.card_ledger.domain.kinds import TransferKind
from services.card_ledger.main import show_wallet
from services.card_ledger.settings import Settings as LedgerSettings
from services.card_ledger.store.statements import Movement, PurseNow, Statement
from services.cli.database import need_dsn
from services.cli.faults import CommandRefused
from services.cli.screen import screen, write_json, write_table
from services.cli.seeding.plan import card_number
from services.cli.seeding.rules import read_rules
from services.cli.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """A card with its wallet as of the last committed row."""

    card: CardShown
    statement: Statement


def show(
    serial: Annotated[int | None, typer.Argument(help="Serial of a demo card.")] = None,
    *,
    pan_stdin: Annotated[bool, typer.Option("--pan-stdin", help="Read a card number.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show a card, masked, with its purses, balances and last movements."""
    if (serial is None) != pan_stdin:
        message = "Name one card: its serial, or --pan-stdin to read its number from the input."
        raise CommandRefused(message)
    if serial is not None:
        digits = card_number(read_rules().cards, serial)
    else:
        digits = sys.stdin.readline().strip()
    found = asyncio.run(view_card(Settings(), digits))
    if as_json:
        write_json(_as_json(found))
    else:
        _show(found)


async def view_card(settings: Settings, digits: str) -> CardView:
    """Look a card up by its number; raises CommandRefused for one that is not known."""
    dsn = need_dsn(settings)
    token = read_token_key(settings.keys_directory).token(Pan(digits))
    async with open_pool(dsn, name="lesko card", size=1) as pool:
        card = await CardStore(pool).read_card_by_token(token)
    if card is None:
        message = "This card is not known here (under the token key of this installation)."
        raise CommandRefused(message)
    ledger = LedgerSettings.model_validate({"postgres": {"dsn": dsn}})
    return CardView(card=card, statement=await show_wallet(ledger, card.wallet))


def _show(found: CardView) -> None:
    console, card = screen(), found.card
    console.print(
        f"Card {card.masked}, {card.status.name.lower()}, product {card.product}, "
        f"expires {card.expiry}; wallet {card.wallet}",
    )
    write_table(
        console,
        ("purse", "programme", "valid until", "balance"),
        [
            (_purse_name(purse), _programme(purse), str(purse.valid_until or ""),
             rupiah(purse.balance))
            for purse in found.statement.purses
        ],
    )  # fmt: skip
    write_table(
        console,
        ("when (UTC)", "what", "terminal", "stan", "outcome", "amount"),
        [
            (f"{row.at:%Y-%m-%d %H:%M:%S}", _kind(row), row.terminal.strip(), f"{row.stan:06d}",
             Outcome.of(row.outcome).name.lower(), rupiah(_signed(found, row)))
            for row in found.statement.movements
        ],
    )  # fmt: skip


def _as_json(found: CardView) -> dict[str, object]:
    card = found.card
    return {
        "card": {
            "id": card.card_id,
            "masked": card.masked,
            "status": card.status.name.lower(),
            "product": card.product,
            "expiry": card.expiry,
        },
        "wallet": card.wallet,
        "purses": [
            {
                "purse": sub_of(purse.account),
                "account": purse.account,
                "programme": purse.programme,
                "valid_until": purse.valid_until,
                "balance_minor": purse.balance,
            }
            for purse in found.statement.purses
        ],
        "movements": [
            {
                "id": row.id,
                "at": row.at.isoformat(),
                "kind": _kind(row),
                "outcome": Outcome.of(row.outcome).name.lower(),
                "amount_minor": _signed(found, row),
                "terminal": row.terminal.strip(),
                "outlet": row.outlet.strip(),
                "stan": row.stan,
            }
            for row in found.statement.movements
        ],
    }


def _signed(found: CardView, row: Movement) -> int:
    """Return what the row did to the wallet: negative when it paid."""
    ours = {purse.account for purse in found.statement.purses}
    return -row.amount if row.debit in ours else row.amount


def _kind(row: Movement) -> str:
    return TransferKind(row.kind).name.lower()


def _purse_name(purse: PurseNow) -> str:
    return "own" if sub_of(purse.account) == 0 else f"restricted {sub_of(purse.account)}"


def _programme(purse: PurseNow) -> str:
    return f"{purse.programme:04d}" if purse.programme else ""
