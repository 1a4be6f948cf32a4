"""Which purses a command may open: those of its own partition, and no other kind of account."""

from collections.abc import Iterable

from libs.contracts.accounts import PURSES_MAX, AccountKind, kind_of, partition_of, sub_of
from services.card_ledger.domain.book import WrongPartition
from services.card_ledger.domain.command import AccountTerms
from services.card_ledger.domain.movement import LAST_DAY


def check_home(accounts: Iterable[AccountTerms], partition: int, partitions: int) -> None:
    """Raise WrongPartition for the first account that is not of this partition."""
    for terms in accounts:
        if partition_of(terms.number, partitions) != partition:
            message = f"account {terms.number} is not of partition {partition}"
            raise WrongPartition(message)


def is_purse(terms: AccountTerms) -> bool:
    """Whether these are terms of a purse; shards need not be opened and have no bounds."""
    try:
        kind = kind_of(terms.number)
    except ValueError:
        return False
    return (
        kind is AccountKind.PURSE
        and sub_of(terms.number) <= PURSES_MAX
        and (terms.ceiling is None or terms.ceiling > 0)
        and (terms.valid_until is None or 0 < terms.valid_until <= LAST_DAY)
        and terms.programme >= 0
    )
