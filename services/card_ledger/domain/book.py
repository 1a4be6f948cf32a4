"""The balances that decisions are made on: what is committed, and a draft on top of it."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from libs.contracts.accounts import AccountKind, kind_of, partition_of
from libs.outcome import Fault
from services.card_ledger.domain.limit import NO_USAGE, Usage


class WrongPartition(Fault):
    """A command names an account of another partition: its sender counts partitions otherwise."""


class Terms(NamedTuple):
    """What an account is held to; minor units, None for no bound."""

    floor: int | None
    ceiling: int | None
    valid_until: int | None  # Last day on which the purse may pay, days since 1970-01-01.
    programme: int  # 0: own money.


class Account(NamedTuple):
    """A balance, the number of its debits so far, and its terms."""

    balance: int
    seq: int
    terms: Terms


SHARD_TERMS = Terms(None, None, None, 0)
_FRESH_SHARD = Account(0, 0, SHARD_TERMS)
_SHARDS = frozenset(
    {AccountKind.OUTLET, AccountKind.FUNDING, AccountKind.TRANSIT, AccountKind.ADJUSTMENT}
)


class Book:
    """Accounts and usage of the partitions held here. Nothing in the draft is true yet."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self._accounts: dict[int, Account] = {}
        self._usage: dict[int, Usage] = {}
        self._draft: dict[int, Account] = {}
        self._draft_usage: dict[int, Usage] = {}

    def load(self, accounts: Mapping[int, Account], usage: Mapping[int, Usage]) -> None:
        """Take over committed state, as read from the tables."""
        self._accounts.update(accounts)
        self._usage.update(usage)

    def missing(self, accounts: Iterable[int]) -> list[int]:
        """Return which purses are not in memory (opened since the start, or not at all)."""
        return [number for number in accounts if number not in self._accounts]

    def account(self, number: int) -> Account | None:
        """Return an account as the draft has it; a shard exists from its first use on."""
        found = self._draft.get(number) or self._accounts.get(number)
        if found is None and number > 0 and kind_of(number) in _SHARDS:
            return _FRESH_SHARD
        return found

    def usage(self, wallet: int) -> Usage:
        """Return a wallet's usage as the draft has it."""
        return self._draft_usage.get(wallet) or self._usage.get(wallet) or NO_USAGE

    def set_usage(self, wallet: int, usage: Usage) -> None:
        """Note a wallet's usage in the draft."""
        self._draft_usage[wallet] = usage

    def move(self, debit: int, credit: int, amount: int, partition: int) -> tuple[int, int, int]:
        """Move money in the draft; return both balances after it and the debit's number.

        Bounds are the caller's business. Raises WrongPartition.
        """
        for number in (debit, credit):
            if partition_of(number, self.partitions) != partition:
                message = f"account {number} is not of partition {partition}"
                raise WrongPartition(message)
        source = self._existing(debit)
        target = self._existing(credit)
        seq = source.seq + 1
        self._draft[debit] = Account(source.balance - amount, seq, source.terms)
        self._draft[credit] = Account(target.balance + amount, target.seq, target.terms)
        return source.balance - amount, target.balance + amount, seq

    def commit(self) -> None:
        """Make the draft true, after the database has said so."""
        self._accounts.update(self._draft)
        self._usage.update(self._draft_usage)
        self.rollback()

    def rollback(self) -> None:
        """Forget the draft."""
        self._draft = {}
        self._draft_usage = {}

    def _existing(self, number: int) -> Account:
        found = self.account(number)
        if found is None:
            message = f"account {number} does not exist"
            raise WrongPartition(message)
        return found
