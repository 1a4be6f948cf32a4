"""One purchase from a terminal to the books and back, told in the order in which it happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console

from libs.clock import Clock
from libs.contracts import topics
from libs.contracts.accounts import owner_of, sub_of
from libs.iso8583 import Codec, Dialect
from libs.money import Minor, rupiah
from libs.outcome import Outcome
from services.card_ledger.domain.wallet_view import Movement
from services.cli.commands.card_show import CardView, view_card
from services.cli.commands.iso_send import ANSWER_MS_MAX, Exchange, exchange, local_now
from services.cli.iso.requests import Operation, Wish, fresh_stan
from services.cli.iso.show import edc_dialect, show_message
from services.cli.seeding.plan import DemoRules, card_number, outlet_code, terminal_code
from services.cli.settings import Settings

AMOUNT: Final = Minor(25_000_00)
CARDS_TRIED: Final = 50
OUTLET: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The purchase and the card's wallet before and after it."""

    serial: int
    wish: Wish
    exchange: Exchange
    before: CardView
    after: CardView

    @property
    def row(self) -> Movement | None:
        """The row that the books hold of it."""
        for row in self.after.statement.movements:
            if row.stan == self.wish.stan and row.terminal.strip() == self.wish.terminal:
                return row
        return None


async def walk_purchase(
    settings: Settings, rules: DemoRules, clock: Clock, *, host: str, port: int
) -> Walk:
    """Buy something over TCP with the first demo card that has the money."""
    dialect = edc_dialect()
    serial, before = await _card_with_money(settings, rules)
    local = local_now(clock, dialect)
    wish = Wish(
        operation=Operation.PURCHASE,
        terminal=terminal_code(rules.outlets, OUTLET),
        outlet=outlet_code(rules.outlets, OUTLET),
        stan=fresh_stan(local),
        local=local,
        pan=card_number(rules.cards, serial),
        amount_minor=AMOUNT,
    )
    done = await exchange(wish, dialect, host, port, timeout_ms=ANSWER_MS_MAX, clock=clock)
    after = await view_card(settings, wish.pan)
    return Walk(serial=serial, wish=wish, exchange=done, before=before, after=after)


def show_walk(console: Console, walk: Walk) -> None:
    """Tell the purchase step by step: both messages masked, what each service did."""
    dialect = edc_dialect()
    say = console.print
    say("\n1  The terminal asks, over TCP:")
    show_message(console, walk.exchange.request, dialect, title="")
    say("2  What the services did:")
    for service, deed in _deeds(walk, dialect):
        say(f"     {service:14} {deed}")
    say("3  The terminal has its answer:")
    show_message(console, walk.exchange.answer, dialect, title="")
    say(
        f"4  The books: own purse of card {walk.before.card.masked} "
        f"{rupiah(_own(walk.before))} before, {rupiah(_own(walk.after))} after.\n",
    )


async def _card_with_money(settings: Settings, rules: DemoRules) -> tuple[int, CardView]:
    first = await view_card(settings, card_number(rules.cards, 1))
    serial, found = 1, first
    while _own(found) < AMOUNT and serial < CARDS_TRIED:
        serial += 1
        found = await view_card(settings, card_number(rules.cards, serial))
    return (serial, found) if _own(found) >= AMOUNT else (1, first)


def _deeds(walk: Walk, dialect: Dialect) -> Sequence[tuple[str, str]]:
    card, row, answer = walk.after.card, walk.row, walk.exchange.answer
    sent = len(Codec(dialect).encode(walk.exchange.request.mti, walk.exchange.request.fields))
    asked = f"read {sent} bytes, found the form right, made the card number a token, published"
    if row is None:
        booked = "stored no row that can be found again"
    else:
        told = Outcome.of(row.outcome)
        booked = (
            f"booked row {row.id}: {rupiah(row.amount)} from wallet {owner_of(row.debit)} purse "
            f"{sub_of(row.debit)} to outlet {owner_of(row.credit)}, committed"
            if told is Outcome.APPROVED
            else f"stored row {row.id}: refused, {told.value.text_en}"
        )
    return (
        ("iso_bridge", f"{asked} {topics.REQUESTS}"),
        (
            "authorization",
            (
                f"found card {card.card_id} ({card.product}, {card.status.name.lower()}), named "
                f"the purses that may pay and the limits, published {topics.COMMANDS}"
            ),
        ),
        ("card_ledger", f"{booked}, answered straight to the bridge"),
        (
            "iso_bridge",
            (
                f"wrote {answer.mti} with code {answer.fields.get(39)!s} after "
                f"{walk.exchange.took_ms} ms in all"
            ),
        ),
    )


def _own(view: CardView) -> int:
    return next((p.balance for p in view.statement.purses if sub_of(p.account) == 0), 0)
