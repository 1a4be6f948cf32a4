"""Open purses that commands ask for, before anything of the same batch uses them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

from libs.clock import day_of
from libs.contracts.accounts import partition_of
from services.card_ledger.domain.book import Account, Book
from services.card_ledger.domain.command import AccountTerms
from services.card_ledger.ports import NewAccount

AT_ONCE = 2_000
"""So many accounts are one statement: well below the time that the writer's pool allows."""


class OpensAccounts(Protocol):
    """The books, as far as accounts are opened."""

    async def open_accounts(
        self, accounts: Sequence[NewAccount], today: date
    ) -> Mapping[int, date]:
        """Open what is not open yet; return the day on which each was opened. Idempotent."""

    async def read_accounts(self, numbers: Sequence[int]) -> Mapping[int, Account]:
        """Read accounts that were opened since the start."""


async def open_purses(
    store: OpensAccounts, book: Book, asked: Sequence[AccountTerms], today: date
) -> None:
    """Open what is not open and take it into the book; what is open keeps its terms.

    Idempotent, so a redelivery or an owner that was replaced does no harm: no money moves. The
    first terms that a batch gives a purse count.
    """
    first: dict[int, AccountTerms] = {}
    for terms in asked:
        first.setdefault(terms.number, terms)
    # What is in memory is open; its balance here is newer than its row's.
    fresh = [_row(first[number], book.partitions) for number in book.missing(first)]
    for start in range(0, len(fresh), AT_ONCE):
        some = fresh[start : start + AT_ONCE]
        await store.open_accounts(some, today)
        book.load(await store.read_accounts([one.number for one in some]), {})


def _row(terms: AccountTerms, partitions: int) -> NewAccount:
    return NewAccount(
        terms.number,
        partition_of(terms.number, partitions),
        0,
        terms.ceiling,
        None if terms.valid_until is None else day_of(terms.valid_until),
        terms.programme,
    )
