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


YOUNG_MAX = 25_000


class RecentKeys:
    """Keys stored of late, at least the last 25,000: their repeats are looked up at once.

    Two generations; the older one leaves when the younger has grown up. (Dropping the oldest key
    of a dict one by one walks over all that left before it: 4 of a purchase's 140 us.)
    """

    def __init__(self, *, young_max: int = YOUNG_MAX) -> None:
        self._young_max = young_max
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()

    def add(self, keys: Iterable[bytes]) -> None:
        """Remember the keys of a batch."""
        self._young.update(keys)
        if len(self._young) >= self._young_max:
            self._old, self._young = self._young, set()

    def __contains__(self, key: bytes) -> bool:
        return key in self._young or key in self._old


@dataclass(slots=True, kw_only=True)
class Tenure:
    """The time from taking leases until losing or giving back one of them."""

    book: Book
    topic_id: str
    standings: dict[int, Standing]
    acknowledged: dict[int, int]  # Highest offset answered and published, by partition.
    recent: RecentKeys = field(default_factory=RecentKeys)

    @classmethod
    def begin(
        cls, owned: Sequence[OwnedPartition], book: Book, topic_id: str, *, day: int
    ) -> "Tenure":
        """Start from the owner rows; a position in another topic counts for nothing.

        ``day`` is the one for which the usage in the book was read: no partition books on an
        earlier one from now on, or a clock that steps back over midnight would reset what was
        spent.
        """
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
                    day=max(day, one.booked_on),
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
        self.recent.add(keys)
