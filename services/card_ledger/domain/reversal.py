"""Give back what a purchase took: once, purse by purse, early, late or repeated."""

from libs.outcome import Outcome
from services.card_ledger.domain.answer import Answer
from services.card_ledger.domain.book import Book
from services.card_ledger.domain.command import Command
from services.card_ledger.domain.kinds import REVERSAL_LEG, Flag, TransferKind
from services.card_ledger.domain.limit import give_back, month_of, usage_on
from services.card_ledger.domain.page import Page
from services.card_ledger.domain.replay import balances_of, rrn_for
from services.card_ledger.domain.stored import StoredKey
from services.card_ledger.domain.transfer import Transfer


def book_reversal(
    command: Command, known: StoredKey, book: Book, page: Page
) -> tuple[Transfer, ...]:
    """Move every leg back, in the book's draft, and return the reversal's rows.

    No floor, limit, state or deadline stops it. Amount and count go back to the booking day of
    the original.
    """
    first = known.first
    usage = usage_on(book.usage(first.wallet), page.day, page.month)
    book.set_usage(
        first.wallet, give_back(usage, first.asked, first.booked_on, month_of(first.booked_on))
    )
    return tuple(_leg(command, leg, book, page) for leg in known.original)


def entomb(command: Command, page: Page) -> tuple[Transfer, ...]:
    """Return the tombstone of an original that is not known: it refuses it if it comes later."""
    ref = command.reference
    return (
        Transfer(
            page.next_id(), ref.key_day, ref.key, 0, TransferKind.TOMBSTONE.value,
            Outcome.APPROVED.number, 0, 0, ref.amount, 0, 0, 0, 0, page.day, ref.amount,
            command.wallet, command.card, ref.card_token, ref.processing_code, 0,
            ref.outlet, ref.terminal, ref.stan, ref.rrn_sent, 0,
        ),
    )  # fmt: skip


def replay_reversal(command: Command, known: StoredKey, book: Book, page: Page) -> Answer:
    """Answer a reversal from its rows: 00; balances only where a purchase was approved."""
    row = known.reversal[0] if known.reversal else known.first
    moved = bool(known.reversal)
    return Answer(
        Outcome.APPROVED,
        key=command.reference.key,
        transfer=row.id,
        rrn=command.reference.rrn_sent or rrn_for(command.reference, row),
        balances=balances_of(command.accounts, book, page.day) if moved else (),
        is_replay=True,
        booked_on=row.booked_on,
    )


def _leg(command: Command, paid: Transfer, book: Book, page: Page) -> Transfer:
    ref = command.reference
    debit_after, credit_after, seq = book.move(paid.credit, paid.debit, paid.amount, page.partition)
    purse = book.account(paid.debit)
    ceiling = purse.terms.ceiling if purse else None
    above = ceiling is not None and credit_after > ceiling
    return Transfer(
        page.next_id(), paid.key_day, paid.key, REVERSAL_LEG + paid.leg,
        TransferKind.REVERSAL.value, Outcome.APPROVED.number, paid.credit, paid.debit,
        paid.amount, debit_after, credit_after, seq, paid.id, page.day, paid.asked,
        paid.wallet, paid.card, paid.card_token, paid.processing_code, paid.goods_class,
        paid.outlet, paid.terminal, paid.stan, ref.rrn_sent,
        (Flag.ABOVE_CEILING if above else Flag.NONE).value,
    )  # fmt: skip
