"""The ledger's and authorization's tables in memory, as the world's one database keeps them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libs.clock import Clock
from libs.fakes.cards import MemoryCards
from libs.fakes.memory_books import MemoryBooks
from libs.pg import CommitUnknown, StoreUnavailable
from services.authorization.domain.card import Card
from services.card_ledger.domain.book import SHARD_TERMS, Account
from services.card_ledger.domain.limit import NO_USAGE, Usage, replay_usage
from services.card_ledger.domain.stored import StoredKey
from services.card_ledger.domain.transfer import Transfer, partition_of_id, serial_of
from services.card_ledger.ports import (
    Batch,
    BookState,
    LeaseLost,
    OnceOnly,
    OwnedPartition,
)
from tests.simulation.faults import Faults, Kind

NOBODY = ""


@dataclass(slots=True)
class Owner:
    """An owner row."""

    epoch: int = 0
    holder: str = NOBODY
    until_ms: int = 0
    topic_id: str = ""
    source_offset: int = -1
    booked_on: int = 0


class Database:
    """Rows that survive every process; the calls on it may fail or leave their end unknown."""

    def __init__(self, accounts: Mapping[int, Account], clock: Clock, faults: Faults) -> None:
        self.books = MemoryBooks(accounts)
        self.opening = dict(accounts)
        self.clock = clock
        self.faults = faults
        self.owners: dict[int, Owner] = {}
        self.fenced = 0

    async def call(self) -> None:
        """Go to the database: it takes time, or fails before anything is done."""
        slow = self.faults.happens(Kind.STORE_SLOW)
        await asyncio.sleep(self.faults.between(0, 3.0 if slow else 0.004))
        if self.faults.store_is_away:
            raise StoreUnavailable("the database is away")

    def sound(self, kind: Kind) -> None:
        """Come back from a commit, or lose the answer on the way."""
        if self.faults.happens(kind):
            raise CommitUnknown("the answer to a COMMIT was lost")


class SimulatedBooks:
    """LedgerStore and Loads, as PostgreSQL's adapter behaves."""

    def __init__(self, database: Database, *, lease_ms: int) -> None:
        self._database = database
        self._books = database.books
        self._lease_ms = lease_ms

    async def load(self, owned: Sequence[OwnedPartition], day: int) -> BookState:
        """Read balances and usage as of the last committed row."""
        await self._database.call()
        partitions = {one.partition for one in owned}
        accounts = dict(self._database.opening)
        usage: dict[int, Usage] = {}
        spent: dict[int, int] = {row.id: row.booked_on for row in self._books.rows}
        for row in sorted(self._books.rows, key=lambda each: each.id):
            if not row.debit_seq or partition_of_id(row.id) not in partitions:
                continue
            _move(accounts, row)
            usage[row.wallet] = replay_usage(
                usage.get(row.wallet, NO_USAGE),
                kind=row.kind,
                leg=row.leg,
                amount=row.amount,
                booked_on=spent.get(row.ref, row.booked_on),
                today=day,
            )
        return BookState(accounts, usage)

    async def read_accounts(self, numbers: Sequence[int]) -> Mapping[int, Account]:
        """Read accounts that were opened since the start."""
        await self._database.call()
        return await self._books.read_accounts(numbers)

    async def open_accounts(self, accounts, today):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 -- handed on as it is
        """Open what is not open yet."""
        await self._database.call()
        return await self._books.open_accounts(accounts, today)

    async def read_stored(self, keys: Mapping[bytes, int]) -> Mapping[bytes, StoredKey]:
        """Return what is stored under keys."""
        if not keys:
            return {}
        await self._database.call()
        return await self._books.read_stored(keys)

    async def read_batches(
        self, partition: int, first: int, last: int, *, batches_max: int, rows_max: int
    ) -> Sequence[tuple[Batch, Sequence[Transfer]]]:
        """Return stored batches with their rows."""
        await self._database.call()
        return await self._books.read_batches(
            partition, first, last, batches_max=batches_max, rows_max=rows_max
        )

    async def post(
        self,
        batches: Sequence[Batch],
        rows: Sequence[Transfer],
        once: Sequence[OnceOnly],
        topic_id: str,
    ) -> None:
        """Write all behind the fence; the answer of the COMMIT may be lost."""
        await self._database.call()
        try:
            await self._books.post(batches, rows, once, topic_id)
        except LeaseLost:
            self._database.fenced += 1
            raise
        for batch in batches:
            self._raise_position(batch, topic_id)
        try:
            self._database.sound(Kind.COMMIT_UNKNOWN)
        except CommitUnknown:
            await self._database.call()  # Only the owner rows know; they can be read, or not.

    def _raise_position(self, batch: Batch, topic_id: str) -> None:
        owner = self._database.owners[batch.head.partition]
        known = owner.source_offset if owner.topic_id == topic_id else -1
        owner.source_offset = max(batch.acknowledged, known)
        owner.topic_id = topic_id
        owner.booked_on = batch.day
        owner.until_ms = self._database.clock.monotonic_ms() + self._lease_ms


def _move(accounts: dict[int, Account], row: Transfer) -> None:
    source, target = accounts.get(row.debit), accounts.get(row.credit)
    terms = source.terms if source else SHARD_TERMS
    accounts[row.debit] = Account(row.debit_after, row.debit_seq, terms)
    accounts[row.credit] = Account(
        row.credit_after, target.seq if target else 0, target.terms if target else SHARD_TERMS
    )


class SimulatedLeases:
    """Leases by the database's time."""

    def __init__(self, database: Database, *, partitions: int, lease_ms: int) -> None:
        self._database = database
        self._partitions = partitions
        self._lease_ms = lease_ms

    async def take(self, holder: str) -> Sequence[OwnedPartition]:
        """Take all partitions, or none while anybody holds one; the epoch rises."""
        await self._database.call()
        owners, now_ms = self._database.owners, self._database.clock.monotonic_ms()
        for number in range(self._partitions):
            owners.setdefault(number, Owner())
        if any(one.holder and one.until_ms > now_ms for one in owners.values()):
            return []
        return [self._give(number, holder) for number in range(self._partitions)]

    def _give(self, number: int, holder: str) -> OwnedPartition:
        owner, books = self._database.owners[number], self._database.books
        owner.epoch += 1
        owner.holder = holder
        owner.until_ms = self._database.clock.monotonic_ms() + self._lease_ms
        books.own(number, owner.epoch)
        _, no, head = books.heads[number]
        serials = [serial_of(row.id) for row in books.rows if partition_of_id(row.id) == number]
        return OwnedPartition(
            number, owner.epoch, 1, no, max(serials, default=0), head, owner.booked_on,
            owner.topic_id, owner.source_offset, 0,
        )  # fmt: skip

    async def renew(self, epochs: Mapping[int, int]) -> None:
        """Prolong what is held; raises LeaseLost."""
        await self._database.call()
        self._check(epochs)
        for number in epochs:
            until_ms = self._database.clock.monotonic_ms() + self._lease_ms
            self._database.owners[number].until_ms = until_ms

    async def give_back(self, epochs: Mapping[int, int]) -> None:
        """Let others take these at once."""
        await self._database.call()
        for number, epoch in epochs.items():
            if self._database.owners[number].epoch == epoch:
                self._database.owners[number].holder = NOBODY

    async def holders(self) -> Sequence[str]:
        """Name who holds leases now."""
        await self._database.call()
        return sorted({one.holder for one in self._database.owners.values() if one.holder})

    async def move_back(self, epochs: Mapping[int, int], offsets: Mapping[int, int]) -> None:
        """Store a lower position."""
        await self._database.call()
        self._check(epochs)
        for number, offset in offsets.items():
            self._database.owners[number].source_offset = offset

    def _check(self, epochs: Mapping[int, int]) -> None:
        lost = [n for n, epoch in epochs.items() if self._database.owners[n].epoch != epoch]
        if lost:
            raise LeaseLost(lost)


class SimulatedCards(MemoryCards):
    """Authorization's cards behind the same database."""

    def __init__(self, database: Database, cards: Mapping[bytes, Card]) -> None:
        super().__init__(cards)
        self._database = database

    async def read_cards(self, tokens: Sequence[bytes]) -> Mapping[bytes, Card]:
        """Return those that exist."""
        await self._database.call()
        return await super().read_cards(tokens)
