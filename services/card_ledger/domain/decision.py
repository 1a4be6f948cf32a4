"""Decide one command: the key first, then an attached verdict, then money (DESIGN 4, step 3)."""

from typing import NamedTuple

from libs.outcome import Outcome
from services.card_ledger.domain.answer import Answer
from services.card_ledger.domain.book import Book
from services.card_ledger.domain.command import (
    Command,
    Inquiry,
    MovementsAsked,
    OpenPurses,
    Posting,
    Purchase,
    Reference,
    Resend,
    Reversal,
)
from services.card_ledger.domain.page import Page
from services.card_ledger.domain.posting import book_posting
from services.card_ledger.domain.purchase import book_purchase, refuse_purchase
from services.card_ledger.domain.replay import balances_of, replay_purchase, rrn_for
from services.card_ledger.domain.reversal import book_reversal, entomb, replay_reversal
from services.card_ledger.domain.stored import StoredKey
from services.card_ledger.domain.transfer import Transfer


class Decision(NamedTuple):
    """What one command writes and what is said; ``rows`` is empty where nothing is stored."""

    answer: Answer
    rows: tuple[Transfer, ...] = ()
    known: StoredKey | None = None  # What is stored under the key once the rows are.


def decide(command: Command, known: StoredKey | None, book: Book, page: Page) -> Decision:
    """Return the one decision for a command, in the draft of ``book``.

    ``known`` is what is stored under its key, rows of this very batch included. ``page`` gives
    ids and the day, and is where rows are counted.
    """
    body = command.body
    if isinstance(body, Inquiry):
        return Decision(_tell(command, book, page))
    if isinstance(body, Resend | OpenPurses | MovementsAsked):
        return Decision(Answer(Outcome.APPROVED))  # Done beside the fold; nothing is stored.
    if isinstance(body, Reversal):
        if known is None:
            return _stored(command, StoredKey(entomb(command, page), ()), book, page)
        if not known.is_tombstone and not known.same_card_and_amount(command.reference):
            return Decision(_refusal(Outcome.DUPLICATE_REFERENCE, command.reference))
        if known.is_approved and not known.reversal:
            back = book_reversal(command, known, book, page)
            return _stored(command, StoredKey(known.original, back), book, page)
        return Decision(replay_reversal(command, known, book, page))
    if known is not None:
        return Decision(_repeat(command, known, book, page))
    if command.refuse_new is not None:
        return Decision(_refusal(command.refuse_new, command.reference))
    if isinstance(body, Posting):
        return _stored(command, StoredKey(book_posting(command, body, book, page), ()), book, page)
    return _stored(command, StoredKey(_book_purchase(command, body, book, page), ()), book, page)


def refuse(command: Command, outcome: Outcome, book: Book, page: Page) -> Decision:
    """Store a refusal for a command that cannot be processed (poison): 96."""
    refusal = refuse_purchase(command, outcome, book, page)
    return _stored(command, StoredKey((refusal,), ()), book, page)


def _book_purchase(
    command: Command, body: Purchase, book: Book, page: Page
) -> tuple[Transfer, ...]:
    if command.verdict is not None:
        return (refuse_purchase(command, command.verdict, book, page),)
    booked = book_purchase(command, body, book, page)
    if isinstance(booked, Outcome):
        return (refuse_purchase(command, booked, book, page),)
    return booked


def _repeat(command: Command, known: StoredKey, book: Book, page: Page) -> Answer:
    """Answer a key that is known: tombstone or reversed 68, other content 94, else as before."""
    if known.is_tombstone:
        return _refusal(Outcome.REVERSED, command.reference)
    if not known.same_purchase(command.reference):
        return _refusal(Outcome.DUPLICATE_REFERENCE, command.reference)
    if known.reversal:
        return _refusal(Outcome.REVERSED, command.reference)
    return replay_purchase(command, known, book, page)


def _tell(command: Command, book: Book, page: Page) -> Answer:
    outcome = command.verdict or command.refuse_new or Outcome.APPROVED
    if outcome is not Outcome.APPROVED:
        return _refusal(outcome, command.reference)
    number = page.next_inquiry()
    return Answer(
        outcome,
        rrn=command.reference.rrn_sent or number.rrn,
        approval_code=number.approval_code,
        balances=balances_of(command.accounts, book, page.day),
        booked_on=page.day,
    )


def _stored(command: Command, known: StoredKey, book: Book, page: Page) -> Decision:
    """Answer from the rows that the batch will store: the first answer and a replay are one."""
    if isinstance(command.body, Reversal):
        answer = replay_reversal(command, known, book, page)
    else:
        answer = replay_purchase(command, known, book, page)
    rows = known.reversal or known.original
    return Decision(answer._replace(is_replay=False), rows, known)


def _refusal(outcome: Outcome, reference: Reference) -> Answer:
    """Refuse without storing: no number of ours is given (edc.md, Response codes, step 2)."""
    return Answer(outcome, key=reference.key, rrn=rrn_for(reference, None))
