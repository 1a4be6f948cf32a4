"""Book movements that were decided elsewhere: all legs or none, floors and ceilings held."""

from libs.outcome import Outcome
from services.card_ledger.domain.book import Book
from services.card_ledger.domain.command import Command, Posting, PostingLeg
from services.card_ledger.domain.page import Page
from services.card_ledger.domain.transfer import Transfer


def book_posting(
    command: Command, posting: Posting, book: Book, page: Page
) -> tuple[Transfer, ...]:
    """Move all legs in the book's draft and return their rows, or the one row of a refusal."""
    refused = command.verdict or _refuse(posting, book)
    if refused is not None:
        return (_row(command, posting, posting.legs[0], 0, refused, (0, 0, 0), page),)
    return tuple(
        _row(
            command, posting, leg, number, Outcome.APPROVED,
            book.move(leg.debit, leg.credit, leg.amount, page.partition), page,
        )
        for number, leg in enumerate(posting.legs)
    )  # fmt: skip


def _refuse(posting: Posting, book: Book) -> Outcome | None:
    """Check every leg on the sums before it: no debit below a floor, no credit above a ceiling."""
    moved: dict[int, int] = {}
    for leg in posting.legs:
        for number, amount in ((leg.debit, -leg.amount), (leg.credit, leg.amount)):
            account = book.account(number)
            if account is None or leg.amount <= 0:
                return Outcome.COULD_NOT_PROCESS
            moved[number] = moved.get(number, 0) + amount
            after = account.balance + moved[number]
            terms = account.terms
            if amount < 0 and terms.floor is not None and after < terms.floor:
                return Outcome.FUNDS_SHORT
            if amount > 0 and terms.ceiling is not None and after > terms.ceiling:
                return Outcome.CEILING
    return None


def _row(
    command: Command,
    posting: Posting,
    leg: PostingLeg,
    number: int,
    outcome: Outcome,
    after: tuple[int, int, int],
    page: Page,
) -> Transfer:
    ref = command.reference
    debit_after, credit_after, seq = after
    return Transfer(
        page.next_id(), ref.key_day, ref.key, number, posting.kind.value, outcome.number,
        leg.debit, leg.credit, leg.amount, debit_after, credit_after, seq, 0, page.day,
        ref.amount, command.wallet, command.card, ref.card_token, ref.processing_code, 0,
        ref.outlet, ref.terminal, ref.stan, ref.rrn_sent, 0,
    )  # fmt: skip
