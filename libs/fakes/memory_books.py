"""The ledger's store in memory, with the constraints that the tables have."""

from collections.abc import Mapping, Sequence
from datetime import date

from libs.clock import day_number
from services.card_ledger.domain.answer import PurseAmount
from services.card_ledger.domain.book import Account, Terms
from services.card_ledger.domain.movement import Movements, Period, page_of
from services.card_ledger.domain.stored import StoredKey
from services.card_ledger.domain.transfer import Transfer
from services.card_ledger.ports import (
    Batch,
    BooksFork,
    KeyTaken,
    LeaseLost,
    NewAccount,
    OnceOnly,
)


class MemoryBooks:
    """Rows, batches and the fence; raises what the real books raise."""

    def __init__(self, accounts: Mapping[int, Account] | None = None) -> None:
        self.accounts = dict(accounts or {})
        self.rows: list[Transfer] = []
        self.batches: list[Batch] = []
        self.once: set[tuple[int, int]] = set()
        self.heads: dict[int, tuple[int, int, bytes]] = {}  # partition: epoch, batch_no, head
        self.opened: dict[int, date] = {}
        self.lookups = 0

    def own(self, partition: int, epoch: int) -> None:
        """Make an epoch the one that may write."""
        _, no, head = self.heads.get(partition, (0, 0, bytes(32)))
        self.heads[partition] = (epoch, no, head)

    async def read_accounts(self, numbers: Sequence[int]) -> Mapping[int, Account]:
        """Return the accounts that exist."""
        return {number: self.accounts[number] for number in numbers if number in self.accounts}

    async def open_accounts(
        self, accounts: Sequence[NewAccount], today: date
    ) -> Mapping[int, date]:
        """Open what is not open yet."""
        for one in accounts:
            until = None if one.valid_until is None else day_number(one.valid_until)
            terms = Terms(one.floor, one.ceiling, until, one.programme)
            self.accounts.setdefault(one.number, Account(0, 0, terms))
            self.opened.setdefault(one.number, today)
        return {one.number: self.opened[one.number] for one in accounts}

    async def read_movements(self, period: Period) -> Movements:
        """Return one page of what moved a wallet's purses."""
        purses = [number for number in period.purses if number in self.accounts]
        moved = [
            row
            for row in sorted(self.rows, key=lambda row: row.id)
            if row.debit_seq and not {row.debit, row.credit}.isdisjoint(purses)
        ]
        told = [
            row
            for row in moved
            if row.id > period.after and period.first_day <= row.booked_on <= period.last_day
        ]
        opening, closing = (
            tuple(self._balance(number, moved, day) for number in purses if period.is_first)
            for day in (period.first_day - 1, period.last_day)
        )
        return page_of(period, opening, closing, told[: period.rows_max + 1])

    def _balance(self, number: int, moved: Sequence[Transfer], day: int) -> PurseAmount:
        """Sum what an account held at the end of a day, from its first balance on."""
        account = self.accounts[number]
        balance = account.balance
        for row in moved:
            if row.booked_on <= day:
                balance += row.amount * ((row.credit == number) - (row.debit == number))
        return PurseAmount(number, account.terms.programme, balance)

    async def read_stored(self, keys: Mapping[bytes, int]) -> Mapping[bytes, StoredKey]:
        """Return what is stored under keys."""
        self.lookups += bool(keys)
        found: dict[bytes, list[Transfer]] = {}
        for row in self.rows:
            if row.key in keys:
                found.setdefault(row.key, []).append(row)
        return {key: StoredKey.of(rows) for key, rows in found.items()}

    async def read_batches(
        self, partition: int, first: int, last: int, *, batches_max: int, rows_max: int
    ) -> Sequence[tuple[Batch, Sequence[Transfer]]]:
        """Return stored batches of a range with their rows."""
        found = [
            batch
            for batch in self.batches
            if batch.head.partition == partition and first <= batch.head.no <= last
        ]
        return [
            (b, [row for row in self.rows if b.head.first_id <= row.id <= b.head.last_id])
            for b in found[:batches_max]
        ]

    async def post(
        self,
        batches: Sequence[Batch],
        rows: Sequence[Transfer],
        once: Sequence[OnceOnly],
        topic_id: str,
    ) -> None:
        """Fence, then unique keys, debit numbers and once; all or nothing."""
        lost = [
            b.head.partition
            for b in batches
            if self.heads[b.head.partition][:2] != (b.head.epoch, b.head.no - 1)
        ]
        if lost:
            raise LeaseLost(lost)
        self._refuse_taken(rows, once)
        for batch in batches:
            self.heads[batch.head.partition] = (batch.head.epoch, batch.head.no, batch.hash)
        self.batches.extend(batches)
        self.rows.extend(rows)
        self.once.update((one.ref, one.kind) for one in once)

    def _refuse_taken(self, rows: Sequence[Transfer], once: Sequence[OnceOnly]) -> None:
        keys = [(row.key, row.leg) for row in (*self.rows, *rows)]
        debits = [(r.debit, r.debit_seq) for r in (*self.rows, *rows) if r.debit_seq]
        acts = [*self.once, *((one.ref, one.kind) for one in once)]
        if len(keys) != len(set(keys)):
            raise KeyTaken("stored already")
        for index, table, taken in (("transfer_debit", "transfer", debits), ("once", "once", acts)):
            if len(taken) != len(set(taken)):
                raise BooksFork(index, table, "what was to be written")
