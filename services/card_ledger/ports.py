"""What the ledger's handlers need from the world; stores fit these shapes."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple, Protocol

from libs.outcome import Fault
from services.card_ledger.domain.answer import Answer
from services.card_ledger.domain.book import Account
from services.card_ledger.domain.chain import BatchHead
from services.card_ledger.domain.limit import Usage
from services.card_ledger.domain.stored import StoredKey
from services.card_ledger.domain.transfer import Transfer


class KeyTaken(Fault):
    """A key of the batch is stored already: a repeat; nothing was written."""

    retriable = True


class BooksFork(Fault):
    """The tables hold another history than this process remembers; nothing was written.

    A debit number, row, batch or once-only act is there already, which no repeat causes.
    ``constraint`` is the index that refused it, ``table`` the table or day partition it is in.
    """

    def __init__(self, constraint: str, table: str, taken: str) -> None:
        super().__init__(f"{taken} is in {table} already ({constraint})")
        self.constraint = constraint
        self.table = table


class LeaseLost(Fault):
    """Another process owns these partitions now; nothing was written."""

    def __init__(self, partitions: Sequence[int]) -> None:
        super().__init__(f"lost the lease of partitions {sorted(partitions)}")
        self.partitions = tuple(partitions)


class OwnedPartition(NamedTuple):
    """What the owner row says when a lease was taken."""

    partition: int
    epoch: int
    incarnation: int
    batch_no: int
    serial: int
    head: bytes
    booked_on: int
    topic_id: str
    source_offset: int
    projected_id: int


class Batch(NamedTuple):
    """One partition's part of a statement."""

    head: BatchHead
    previous_hash: bytes
    hash: bytes
    serial: int
    day: int
    acknowledged: int  # Highest offset whose answers and entries are acknowledged.


class OnceOnly(NamedTuple):
    """An act that a row may suffer only once."""

    ref: int
    kind: int
    by_id: int


class BookState(NamedTuple):
    """Committed accounts and usage of some partitions."""

    accounts: Mapping[int, Account]
    usage: Mapping[int, Usage]


class NewAccount(NamedTuple):
    """An account to open; bounds in minor units, None for no bound."""

    number: int
    partition: int
    floor: int | None
    ceiling: int | None
    valid_until: date | None
    programme: int


class LedgerStore(Protocol):
    """The books, as the posting of a batch needs them."""

    async def open_accounts(
        self, accounts: Sequence[NewAccount], today: date
    ) -> Mapping[int, date]:
        """Open what is not open yet; return the day on which each was opened. Idempotent."""

    async def read_accounts(self, numbers: Sequence[int]) -> Mapping[int, Account]:
        """Read accounts that were opened since the start; unknown ones are left out."""

    async def read_stored(self, keys: Mapping[bytes, int]) -> Mapping[bytes, StoredKey]:
        """Return what is stored under keys; given with the day inside each key."""

    async def read_batches(
        self, partition: int, first: int, last: int, *, batches_max: int, rows_max: int
    ) -> Sequence[tuple[Batch, Sequence[Transfer]]]:
        """Return the first stored batches of a range, each with its rows; at least one."""

    async def post(
        self,
        batches: Sequence[Batch],
        rows: Sequence[Transfer],
        once: Sequence[OnceOnly],
        topic_id: str,
    ) -> None:
        """Write all in one statement behind the fence.

        Raises LeaseLost, KeyTaken or BooksFork (nothing written), or a retriable Fault: then
        nothing was written, or the next attempt is fenced.
        """


class Figures(Protocol):
    """Whoever counts what batches do."""

    def posted(self, answers: Sequence[Answer], *, rows: int, took_ms: int) -> None:
        """Count a committed batch: its answers, rows stored, and the statement's time."""

    def lost(self, partitions: int) -> None:
        """Count partitions that another process took."""


class Leases(Protocol):
    """Who owns which partition."""

    async def take(self, holder: str) -> Sequence[OwnedPartition]:
        """Take all partitions, or none while anybody holds one; the epoch rises."""

    async def renew(self, epochs: Mapping[int, int]) -> None:
        """Prolong what is held; raises LeaseLost."""

    async def give_back(self, epochs: Mapping[int, int]) -> None:
        """Let others take these partitions at once."""

    async def holders(self) -> Sequence[str]:
        """Name who holds leases now, for a clear sentence."""

    async def move_back(self, epochs: Mapping[int, int], offsets: Mapping[int, int]) -> None:
        """Store a lower position; only a log that lost its tail has one. Raises LeaseLost."""
