"""What this process holds: its partitions and where each one's history stands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.card_ledger.domain.book import Book
from services.card_ledger.ports import Batch, OwnedPartition


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one partition's history stands; replaced after each committed batch."""

    partition: int
    epoch: int
    incarnation: int
    batch_no: int
    serial: int
    head: bytes
    day: int  # The last booking day, days since 1970-01-01.


@dataclass(slots=True, kw_only=True)
class Tenure:
    """The time from taking leases until losing or giving back one of them."""

    book: Book
    topic_id: str
    standings: dict[int, Standing]
    acknowledged: dict[int, int]  # Highest offset answered and published, by partition.
    recent: dict[bytes, None] = field(default_factory=dict)  # Keys of late, to look up repeats.

    RECENT_MAX = 50_000

    @classmethod
    def begin(cls, owned: Sequence[OwnedPartition], book: Book, topic_id: str) -> "Tenure":
        """Start from the owner rows; a position in another topic counts for nothing."""
        return cls(
            book=book,
            topic_id=topic_id,
            standings={
                one.partition: Standing(
                    partition=one.partition,
                    epoch=one.epoch,
                    incarnation=one.incarnation,
                    batch_no=one.batch_no,
                    serial=one.serial,
                    head=one.head,
                    day=one.booked_on,
                )
                for one in owned
            },
            acknowledged={
                one.partition: one.source_offset if one.topic_id == topic_id else -1
                for one in owned
            },
        )

    @property
    def epochs(self) -> Mapping[int, int]:
        """The epoch under which each partition is held."""
        return {number: standing.epoch for number, standing in self.standings.items()}

    def starts(self) -> dict[int, int | None]:
        """Return where to read on, by partition; None: from the earliest record."""
        return {
            number: offset + 1 if offset >= 0 else None
            for number, offset in self.acknowledged.items()
        }

    def advance(self, batches: Sequence[Batch], keys: Iterable[bytes]) -> None:
        """Take over what the database has committed."""
        for batch in batches:
            standing = self.standings[batch.head.partition]
            self.standings[batch.head.partition] = replace(
                standing,
                batch_no=batch.head.no,
                serial=batch.serial,
                head=batch.hash,
                day=batch.day,
            )
        self.recent.update(dict.fromkeys(keys))
        while len(self.recent) > self.RECENT_MAX:
            del self.recent[next(iter(self.recent))]
