"""Check one partition's history row by row; pure, fed in order, names what does not fit."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from libs.outcome import Outcome
from services.card_ledger.domain.chain import GENESIS, BatchHead, chain_hash
from services.card_ledger.domain.kinds import TransferKind
from services.card_ledger.domain.transfer import Transfer, serial_of

_FLOORLESS = (TransferKind.REVERSAL, TransferKind.ADJUSTMENT)


class StoredBatch(NamedTuple):
    """A batch row as it stands in the table."""

    head: BatchHead
    previous_hash: bytes
    hash: bytes


class OwnerRow(NamedTuple):
    """Where the owner row says that a partition's history ends."""

    partition: int
    batch_no: int
    serial: int
    head: bytes
    projected_id: int


class AccountRow(NamedTuple):
    """An account as it stands in the table; balance and debit number as of the projection."""

    number: int
    floor: int | None
    balance: int
    seq: int


class Outside(NamedTuple):
    """Something that stands in the books under the number of no partition."""

    what: str  # row, batch or account.
    number: int
    partition: int


class Spent(NamedTuple):
    """What a wallet spent on one booking day, as limits count it; minor units."""

    amount: int
    purchases: int


class UsageDiffers(NamedTuple):
    """A wallet's booking day of which the projection and the rows say different things."""

    partition: int
    wallet: int
    booked_on: date
    told: Spent | None  # By limit_usage; None: it has no such row.
    counted: Spent | None  # From the transfer rows; None: no purchase or reversal of that day.


def usage_finding(found: UsageDiffers) -> str:
    """Name a row of limit_usage that was changed, taken out or put in by hand."""
    where = f"partition {found.partition} wallet {found.wallet} on {found.booked_on}"
    told = _spent(found.told) if found.told else "nothing"
    counted = _spent(found.counted) if found.counted else "nothing"
    return f"{where}: limit usage says {told}, its rows say {counted}"


def _spent(spent: Spent) -> str:
    return f"{spent.amount} sen in {spent.purchases} purchases"


class Auditor:
    """Walks one partition. ``findings`` are sentences; an empty list means it is clean."""

    def __init__(self, owner: OwnerRow, floors: dict[int, int]) -> None:
        self.findings: list[str] = []
        self.balances: dict[int, int] = {}
        self.reversals: set[tuple[int, int]] = set()
        self.rows = 0
        self._owner = owner
        self._floors = floors
        self._seqs: dict[int, int] = {}
        self._last_no = 0
        self._last_hash = GENESIS
        self._last_serial = 0
        self._projected: dict[int, int] = {}  # Balances as of the projection's position.
        self._projected_seqs: dict[int, int] = {}
        self._projection_taken = False

    def batch(self, stored: StoredBatch, rows: Sequence[Transfer]) -> None:
        """Check the next batch and its rows."""
        head = stored.head
        where = f"partition {head.partition} batch {head.no}"
        if head.no != self._last_no + 1:
            self.findings.append(
                f"{where}: batches {self._last_no + 1} to {head.no - 1} are missing"
            )
        elif stored.previous_hash != self._last_hash:
            self.findings.append(f"{where}: does not continue the batch before it")
        if len(rows) != head.rows:
            self.findings.append(f"{where}: has {len(rows)} rows, was written with {head.rows}")
        if chain_hash(stored.previous_hash, head, rows) != stored.hash:
            self.findings.append(f"{where}: a column of its rows or of itself was changed")
        for row in rows:
            self._row(row, where)
        self._last_no, self._last_hash = head.no, stored.hash

    def strays(self, rows: Iterable[Transfer]) -> None:
        """Name rows that belong to no batch."""
        self.findings.extend(
            f"partition {self._owner.partition} row {row.id}: was inserted, no batch wrote it"
            for row in rows
        )

    def finish(self) -> None:
        """Compare the end of the walk with the owner row."""
        owner = self._owner
        where = f"partition {owner.partition}"
        if (owner.batch_no, owner.head) != (self._last_no, self._last_hash):
            self.findings.append(
                f"{where}: ends at batch {self._last_no}, its owner row says {owner.batch_no}"
                " (rows cut off, or another history)"
            )
        if owner.serial != self._last_serial:
            self.findings.append(
                f"{where}: ends at row {self._last_serial}, its owner row says {owner.serial}"
            )
        if not self._projection_taken:
            self._take_projection()

    def accounts(self, rows: Sequence[AccountRow]) -> None:
        """Compare the projection of accounts with the rows; after ``finish``."""
        for number, _, balance, seq in rows:
            counted = self._projected.get(number, 0)
            if balance != counted:
                self.findings.append(
                    f"account {number}: projected {balance}, its rows say {counted}"
                )
            last = self._projected_seqs.get(number, 0)
            if seq != last:
                self.findings.append(
                    f"account {number}: projected up to its debit {seq}, its rows say {last}"
                )
        gone = self._projected.keys() - {row.number for row in rows}
        self.findings.extend(
            f"account {number}: is not there, its rows say {self._projected[number]}"
            for number in sorted(gone)
        )

    def known_head(self, batch_no: int, expected: bytes, found: bytes | None) -> None:
        """Compare with a head that was published outside."""
        where = f"partition {self._owner.partition}"
        if found is None:
            self.findings.append(
                f"{where}: batch {batch_no} was published outside and is gone: the tail was cut"
            )
        elif found != expected:
            self.findings.append(f"{where}: batch {batch_no} is not the one published outside")

    def _row(self, row: Transfer, where: str) -> None:
        if not self._projection_taken and row.id > self._owner.projected_id:
            self._take_projection()
        self.rows += 1
        if serial_of(row.id) != self._last_serial + 1:
            self.findings.append(
                f"{where} row {row.id}: rows between {self._last_serial} and"
                f" {serial_of(row.id)} are missing"
            )
        self._last_serial = serial_of(row.id)
        if row.outcome == Outcome.APPROVED.number and row.debit_seq > 0:
            self._movement(row, where)

    def _movement(self, row: Transfer, where: str) -> None:
        debit = self.balances.get(row.debit, 0) - row.amount
        credit = self.balances.get(row.credit, 0) + row.amount
        if (debit, credit) != (row.debit_after, row.credit_after):
            self.findings.append(f"{where} row {row.id}: a balance does not follow from the last")
        if row.debit_seq != self._seqs.get(row.debit, 0) + 1:
            self.findings.append(f"{where} row {row.id}: debit number {row.debit_seq} is no step")
        floor = self._floors.get(row.debit)
        if floor is not None and debit < floor and row.kind not in _FLOORLESS:
            self.findings.append(f"{where} row {row.id}: account {row.debit} is below its floor")
        self.balances[row.debit], self.balances[row.credit] = row.debit_after, row.credit_after
        self._seqs[row.debit] = row.debit_seq
        if row.kind == TransferKind.REVERSAL:
            if (row.ref, row.kind) in self.reversals:
                self.findings.append(f"{where} row {row.id}: row {row.ref} was reversed twice")
            self.reversals.add((row.ref, row.kind))

    def _take_projection(self) -> None:
        self._projection_taken = True
        self._projected = dict(self.balances)
        self._projected_seqs = dict(self._seqs)
