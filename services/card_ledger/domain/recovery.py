"""What entries may be put behind the books: pure, fed in any order of one partition."""

from typing import NamedTuple

from services.card_ledger.domain.chain import BatchHead, chain_hash
from services.card_ledger.domain.transfer import Transfer


class Entry(NamedTuple):
    """One batch of one partition as its record tells it."""

    head: BatchHead
    previous_hash: bytes
    hash: bytes
    rows: tuple[Transfer, ...]


class Seam:
    """The end of one partition's books, and entries that continue it.

    ``finding`` is set at the first entry that does not fit; nothing fits afterwards.
    """

    def __init__(self, *, partition: int, no: int, head: bytes, waiting_max: int) -> None:
        self.partition = partition
        self.no = no
        self.head = head
        self.finding: str | None = None
        self._waiting: dict[int, Entry] = {}
        self._waiting_max = waiting_max

    def add(self, entry: Entry) -> list[Entry]:
        """Return what continues the books from now on, in order.

        An entry of a batch that the books have is left out: whether it is the same one is for the
        tables to say. One that comes too early waits for those before it.
        """
        if self.finding is not None or entry.head.no <= self.no:
            return []
        kept = self._waiting.setdefault(entry.head.no, entry)
        if kept.hash != entry.hash:
            self._refuse(entry, "is there twice, as two different batches (a fork)")
            return []
        ready: list[Entry] = []
        while (following := self._waiting.pop(self.no + 1, None)) is not None:
            if not self._fits(following):
                return ready
            self.no, self.head = following.head.no, following.hash
            ready.append(following)
        if len(self._waiting) > self._waiting_max:
            self.finding = self._gap()
        return ready

    def finish(self) -> str | None:
        """Return why these entries are not all in; None: they are."""
        if self.finding is None and self._waiting:
            self.finding = self._gap()
        return self.finding

    def _fits(self, entry: Entry) -> bool:
        if entry.previous_hash != self.head:
            self._refuse(entry, "does not continue the batch before it (a fork)")
        elif chain_hash(entry.previous_hash, entry.head, entry.rows) != entry.hash:
            self._refuse(entry, "is not what its hash says: it was changed or cut")
        return self.finding is None

    def _refuse(self, entry: Entry, why: str) -> None:
        self.finding = f"partition {self.partition} batch {entry.head.no} {why}"

    def _gap(self) -> str:
        first, last = self.no + 1, min(self._waiting) - 1
        which = f"batch {first} is" if first == last else f"batches {first} to {last} are"
        return (
            f"partition {self.partition}: {which} missing on the topic; restore the database to a"
            " later moment (--to latest), so that its own log brings them"
        )
