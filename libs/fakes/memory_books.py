"""The ledger's store in memory, with the constraints that the tables have."""

from collections.abc import Mapping, Sequence

from services.card_ledger.domain.book import Account
from services.card_ledger.domain.stored import StoredKey
from services.card_ledger.domain.transfer import Transfer
from services.card_ledger.ports import Batch, BooksFork, KeyTaken, LeaseLost, OnceOnly


class MemoryBooks:
    """Rows, batches and the fence; raises what the real books raise."""

    def __init__(self, accounts: Mapping[int, Account] | None = None) -> None:
        self.accounts = dict(accounts or {})
        self.rows: list[Transfer] = []
        self.batches: list[Batch] = []
        self.once: set[tuple[int, int]] = set()
        self.heads: dict[int, tuple[int, int, bytes]] = {}  # partition: epoch, batch_no, head
        self.lookups = 0

    def own(self, partition: int, epoch: int) -> None:
        """Make an epoch the one that may write."""
        _, no, head = self.heads.get(partition, (0, 0, bytes(32)))
        self.heads[partition] = (epoch, no, head)

    async def read_accounts(self, numbers: Sequence[int]) -> Mapping[int, Account]:
        """Return the accounts that exist."""
        return {number: self.accounts[number] for number in numbers if number in self.accounts}

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
