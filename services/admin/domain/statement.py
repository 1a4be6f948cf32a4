"""The statement of a wallet: what its purses held, what moved, and what was left; pure sums."""

from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

from libs.clock import day_of
from libs.contracts.accounts import AccountKind, account_number, owner_of, sub_of
from libs.contracts.lesko.v1.card_ledger_pb2 import Transfer, WalletMovements
from libs.contracts.transfers import rrn_of
from libs.outcome import Fault

_PURSES: Final = range(
    account_number(AccountKind.PURSE, 0, 0), account_number(AccountKind.OUTLET, 0, 0)
)


class StatementDiffers(Fault):
    """What the ledger told does not add up; nobody is shown a statement of it."""


class Note(NamedTuple):
    """Why people adjusted a wallet, and the paper behind it."""

    reason: str
    document: str


class Adjusted(NamedTuple):
    """A manual adjustment that two people decided, and what the ledger said of it."""

    command: bytes
    made_on: date
    note: Note
    answer: bytes | None  # lesko.v1.LedgerAnswer; None: it was not answered yet.


class PurseStatement(NamedTuple):
    """One purse over the period; minor units."""

    purse: int  # 0: the own one.
    programme: int  # 0: own money.
    opening: int
    debits: int
    credits: int
    closing: int


class Entry(NamedTuple):
    """What one row did to one purse; minor units, ``amount`` negative where the purse paid."""

    id: int
    day: date
    kind: int  # TransferKind.
    purse: int
    programme: int
    amount: int
    balance: int  # Of the purse, after it.
    outlet: str
    terminal: str
    stan: int
    rrn: str
    reason: str = ""
    document: str = ""


class Statement(NamedTuple):
    """A wallet over a period, both days included; entries in the order of their booking."""

    wallet: int
    first: date
    last: date
    purses: tuple[PurseStatement, ...]
    entries: tuple[Entry, ...]


class StatementFold:
    """Adds up the pages that the ledger tells, in their order, and takes nothing on trust.

    Pages after the first may hold rows that were booked after it; each row carries the balances
    after it, so what adds up row by row is true up to the last row told.
    """

    def __init__(self, wallet: int, first: date, last: date) -> None:
        self._period = (wallet, first, last)
        self._wallet = wallet
        self._programmes: dict[int, int] = {}
        self._opening: dict[int, int] = {}
        self._balances: dict[int, int] = {}
        self._entries: list[tuple[bytes, Entry]] = []

    @property
    def rows(self) -> int:
        """How many entries there are so far."""
        return len(self._entries)

    @property
    def is_known(self) -> bool:
        """Whether the ledger knows any purse of this wallet."""
        return bool(self._opening)

    def add(self, page: WalletMovements) -> None:
        """Take in the next page; raises StatementDiffers."""
        for one in page.opening:
            self._programmes[one.account] = one.programme
            self._opening[one.account] = self._balances[one.account] = one.amount_minor
        for row in page.movements:
            self._move(row, row.debit, -row.amount_minor, row.debit_after)
            self._move(row, row.credit, row.amount_minor, row.credit_after)
        if page.opening and not page.has_more:
            told = {one.account: one.amount_minor for one in page.closing}
            if told != self._balances:
                raise StatementDiffers("the closing balances do not follow from the movements")

    def statement(self, notes: Mapping[bytes, Note]) -> Statement:
        """Return the statement of all pages, with what is noted beside rows by their keys."""
        entries = tuple(
            entry if key not in notes else entry._replace(**notes[key]._asdict())
            for key, entry in self._entries
        )
        return Statement(*self._period, tuple(map(self._purse, sorted(self._balances))), entries)

    def _move(self, row: Transfer, account: int, amount: int, after: int) -> None:
        if account not in _PURSES or owner_of(account) != self._wallet:
            return
        balance = self._balances.get(account, 0) + amount
        if balance != after:
            raise StatementDiffers(f"row {row.id} does not follow from the balance before it")
        self._opening.setdefault(account, 0)
        self._balances[account] = balance
        entry = Entry(
            row.id,
            day_of(row.booked_on),
            row.kind,
            sub_of(account),
            self._programmes.get(account, 0),
            amount,
            balance,
            row.outlet.strip(),
            row.terminal.strip(),
            row.stan,
            row.rrn_sent or rrn_of(row.id),
        )
        self._entries.append((row.key, entry))

    def _purse(self, account: int) -> PurseStatement:
        moved = [e.amount for _, e in self._entries if e.purse == sub_of(account)]
        return PurseStatement(
            sub_of(account),
            self._programmes.get(account, 0),
            self._opening[account],
            -sum(amount for amount in moved if amount < 0),
            sum(amount for amount in moved if amount > 0),
            self._balances[account],
        )
