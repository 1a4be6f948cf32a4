"""The closing of a booking day: what each account did, and totals that must be the ledger's."""

from typing import Final, NamedTuple

NAMED_MAX: Final = 20
"""So many accounts that do not fit are named; the rest is a number."""


class AccountDay(NamedTuple):
    """One account on one booking day; minor units, debits and credits as positive sums.

    Opening, debits and credits are sums over transfer rows from the first one on; ``balance`` is
    what the ledger itself holds to be the account's balance at the end of the day.
    """

    account: int
    opening: int
    debits: int
    credits: int
    balance: int

    @property
    def closing(self) -> int:
        """What the rows say is left."""
        return self.opening + self.credits - self.debits


class DayTotals(NamedTuple):
    """All accounts together; ``findings`` empty: they are what the ledger says."""

    accounts: int
    opening: int
    debits: int
    credits: int
    closing: int
    findings: tuple[str, ...]


class DayClosing:
    """Adds up a day, account by account."""

    def __init__(self) -> None:
        self._accounts = 0
        self._opening = 0
        self._debits = 0
        self._credits = 0
        self._closing = 0
        self._wrong = 0
        self._findings: list[str] = []

    def add(self, line: AccountDay) -> None:
        """Take in the next account."""
        self._accounts += 1
        self._opening += line.opening
        self._debits += line.debits
        self._credits += line.credits
        self._closing += line.closing
        if line.closing != line.balance:
            self._wrong += 1
            if self._wrong <= NAMED_MAX:
                self._findings.append(
                    f"account {line.account}: its rows say {line.closing} sen,"
                    f" the ledger holds {line.balance}"
                )

    def totals(self) -> DayTotals:
        """Return the totals and all that does not fit."""
        findings = list(self._findings)
        if self._wrong > NAMED_MAX:
            findings.append(f"{self._wrong - NAMED_MAX} more accounts do not fit")
        if self._debits != self._credits:
            findings.append(
                f"{self._debits} sen were debited but {self._credits} sen were credited"
            )
        for when, total in (("before", self._opening), ("after", self._closing)):
            if total:
                findings.append(f"all accounts together hold {total} sen {when} the day, not 0")
        return DayTotals(
            self._accounts,
            self._opening,
            self._debits,
            self._credits,
            self._closing,
            tuple(findings),
        )
