"""Answers made from rows alone: the first answer and every repeat are built the same way."""

from collections.abc import Sequence

from libs.outcome import Outcome
from services.card_ledger.domain.answer import Answer, PurseAmount
from services.card_ledger.domain.book import Book
from services.card_ledger.domain.command import Command, Reference
from services.card_ledger.domain.page import Page
from services.card_ledger.domain.stored import StoredKey
from services.card_ledger.domain.transfer import Transfer, approval_code_of, rrn_of

_SHOWS_BALANCE = (Outcome.APPROVED, Outcome.FUNDS_SHORT)


def replay_purchase(command: Command, known: StoredKey, book: Book, page: Page) -> Answer:
    """Return a stored purchase's answer, with the balances of now (edc.md, Keys)."""
    first = known.first
    outcome = Outcome.of(first.outcome)
    approved = outcome is Outcome.APPROVED
    return Answer(
        outcome,
        key=first.key,
        transfer=first.id,
        rrn=first.rrn_sent or rrn_of(first.id),
        approval_code=approval_code_of(first.id) if approved else "",
        balances=balances_of(command.accounts, book, page.day) if outcome in _SHOWS_BALANCE else (),
        paid=_paid(known.original, book) if approved else (),
        is_replay=True,
        booked_on=first.booked_on,
    )


def balances_of(accounts: Sequence[int], book: Book, day: int) -> tuple[PurseAmount, ...]:
    """Return what is available now: purses in the order given, expired ones left out."""
    shown = []
    for number in accounts:
        account = book.account(number)
        if account is None:
            continue
        terms = account.terms
        if terms.valid_until is None or terms.valid_until >= day:
            shown.append(PurseAmount(number, terms.programme, account.balance))
    return tuple(shown)


def rrn_for(reference: Reference, row: Transfer | None) -> str:
    """Return DE37: the terminal's own, else the row's, else none of ours."""
    if reference.rrn_sent or row is None:
        return reference.rrn_sent
    return row.rrn_sent or rrn_of(row.id)


def _paid(legs: Sequence[Transfer], book: Book) -> tuple[PurseAmount, ...]:
    """Sum legs by purse, in the order in which the purses paid."""
    if len(legs) == 1:
        return (PurseAmount(legs[0].debit, _programme(legs[0].debit, book), legs[0].amount),)
    sums: dict[int, int] = {}
    for leg in legs:
        sums[leg.debit] = sums.get(leg.debit, 0) + leg.amount
    return tuple(PurseAmount(purse, _programme(purse, book), paid) for purse, paid in sums.items())


def _programme(purse: int, book: Book) -> int:
    account = book.account(purse)
    return account.terms.programme if account else 0
