"""``lesko card show``: one card, its wallet, what it holds and what happened last."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

import typer

from libs.contracts.accounts import sub_of
from libs.iso8583 import Pan
from libs.money import rupiah
from libs.outcome import Outcome
from libs.vault import read_token_key
from services.authorization.domain.card_rows import CardShown
from services.authorization.main import show_card
from services.authorization.settings import Settings as AuthorizationSettings
from services.card_ledger.domain.kinds import TransferKind
from services.card_ledger.domain.wallet_view import Movement, PurseNow, Statement
from services.card_ledger.main import show_wallet
from services.card_ledger.settings import Settings as LedgerSettings
from services.cli.admin_client import AdminClient
from services.cli.admin_session import read_session
from services.cli.commands.card_commands import PanStdin, ask_number, find_card, is_reference
from services.cli.database import own_settings
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
    card: Annotated[
        str | None, typer.Argument(help="Its reference, or the serial of a demo card.")
    ] = None,
    *,
    pan_stdin: PanStdin = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show a card, masked.

    Who has signed in hears of a number or a reference what admin knows, and the reference by which
    a card is changed. The serial of a demo card, and a number where nobody has signed in, is looked
    up in the tables, with purses, balances and last movements.
    """
    if card is not None and pan_stdin:
        message = "Name one card: its reference or serial, or --pan-stdin to read its number."
        raise CommandRefused(message)
    settings = Settings()
    if card is not None and is_reference(card):
        _show_known(settings, {"reference": card}, as_json=as_json)
        return
    digits = ask_number(pan_stdin=pan_stdin) if card is None else _demo_number(card)
    if card is None and read_session(settings.home) is not None:
        _show_known(settings, {"number": digits}, as_json=as_json)
        return
    found = asyncio.run(view_card(settings, digits))
    if as_json:
        write_json(_as_json(found))
    else:
        _show(found)


async def view_card(settings: Settings, digits: str) -> CardView:
    """Look a card up by its number; raises CommandRefused for one that is not known."""
    token = read_token_key(settings.keys_directory).token(Pan(digits))
    cards = AuthorizationSettings.model_validate(own_settings(settings, "authorization"))
    card = await show_card(cards, token)
    if card is None:
        message = "This card is not known here (under the token key of this installation)."
        raise CommandRefused(message)
    ledger = LedgerSettings.model_validate(own_settings(settings, "card_ledger"))
    return CardView(card=card, statement=await show_wallet(ledger, card.wallet))


def _demo_number(serial: str) -> str:
    rules = read_rules().cards
    if serial.isascii() and serial.isdigit() and len(serial) <= rules.serial_digits:
        return card_number(rules, int(serial))
    message = (
        "That is neither a reference nor the serial of a demo card. A card number does not belong "
        "on a command line: leave it out and it is asked for, or pass it with --pan-stdin."
    )
    raise CommandRefused(message)


def _show_known(settings: Settings, which: dict[str, str], *, as_json: bool) -> None:
    found = find_card(AdminClient(settings), which)
    if as_json:
        write_json(found)
    else:
        write_table(screen(), ("what", "is"), [(name, str(found[name])) for name in found])


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
