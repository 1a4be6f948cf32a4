"""Book a purchase: limits, purses, deadline, in the order of the response codes."""

from libs.outcome import Outcome
from services.card_ledger.domain.book import Account, Book
from services.card_ledger.domain.command import Command, Line, Purchase
from services.card_ledger.domain.kinds import TransferKind
from services.card_ledger.domain.limit import refuse_over_limit, spend, usage_on
from services.card_ledger.domain.page import Page
from services.card_ledger.domain.purse import Share, share_out
from services.card_ledger.domain.transfer import Transfer


def book_purchase(
    command: Command, purchase: Purchase, book: Book, page: Page
) -> tuple[Transfer, ...] | Outcome:
    """Move the money in the book's draft and return its rows, or the outcome that refuses it."""
    amount = command.reference.amount
    usage = usage_on(book.usage(command.wallet), page.day, page.month)
    over = refuse_over_limit(usage, amount, purchase.limits)
    if over is not None:
        return over
    purses = _order(command, purchase.lines)
    available = _available(purses, book, page.day)
    if available is None:
        return Outcome.COULD_NOT_PROCESS  # A purse that the books do not know.
    shares = share_out(purchase.lines, available, purses)
    if shares is None:
        return Outcome.FUNDS_SHORT
    if command.deadline_ms and page.now_ms > command.deadline_ms:
        return Outcome.TOO_LATE
    book.set_usage(command.wallet, spend(usage, amount))
    return tuple(
        _leg(command, purchase.credit, share, leg, book, page) for leg, share in enumerate(shares)
    )


def refuse_purchase(command: Command, outcome: Outcome, book: Book, page: Page) -> Transfer:
    """Return the row of a refusal: it moves nothing and every repeat hears it again."""
    ref = command.reference
    own = command.accounts[0] if command.accounts else 0
    account = book.account(own) if own else None
    balance = account.balance if account else 0
    return Transfer(
        page.next_id(), ref.key_day, ref.key, 0, TransferKind.PURCHASE.value, outcome.number,
        own if account else 0, 0, ref.amount, balance, 0, 0, 0, page.day, ref.amount,
        command.wallet, command.card, ref.card_token, ref.processing_code, 0,
        ref.outlet, ref.terminal, ref.stan, ref.rrn_sent, 0,
    )  # fmt: skip


def _leg(command: Command, credit: int, share: Share, leg: int, book: Book, page: Page) -> Transfer:
    ref = command.reference
    debit_after, credit_after, seq = book.move(share.purse, credit, share.amount, page.partition)
    return Transfer(
        page.next_id(), ref.key_day, ref.key, leg, TransferKind.PURCHASE.value,
        Outcome.APPROVED.number, share.purse, credit, share.amount, debit_after, credit_after,
        seq, 0, page.day, ref.amount, command.wallet, command.card, ref.card_token,
        ref.processing_code, share.goods_class, ref.outlet, ref.terminal, ref.stan,
        ref.rrn_sent, 0,
    )  # fmt: skip


def _order(command: Command, lines: tuple[Line, ...]) -> tuple[int, ...]:
    """Return the purses of all lines in order of precedence.

    A line lists its own in that order; for several lines the wallet's whole list tells, in which
    the own purse stands first because balances are shown so, and pays last.
    """
    if len(lines) == 1:
        return lines[0].purses
    named = {purse for line in lines for purse in line.purses}
    ordered = (*command.accounts[1:], *command.accounts[:1])
    return tuple(purse for purse in ordered if purse in named)


def _available(purses: tuple[int, ...], book: Book, day: int) -> dict[int, int] | None:
    """Return what each purse may pay today: down to its floor, nothing once it has expired."""
    available = {}
    for number in purses:
        account = book.account(number)
        if account is None:
            return None
        available[number] = _payable(account, day)
    return available


def _payable(account: Account, day: int) -> int:
    terms = account.terms
    if terms.valid_until is not None and terms.valid_until < day:
        return 0
    return max(0, account.balance - (terms.floor or 0))
