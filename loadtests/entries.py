"""What is asked of the topic of entries after a run: each batch of the books, in order, no gap."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import asyncpg

from libs.bus.kafka.bus import KafkaBus
from libs.bus.kafka.settings import KafkaSettings
from libs.bus.port import Reader
from libs.clock import SystemClock
from libs.contracts import topics
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerEntries

ARRIVE_WITHIN_S: Final = 30.0
_TAKE_MS: Final = 500
_TAKE_MAX: Final = 2_000
_HEADS: Final = "SELECT partition, batch_no, head FROM card_ledger.owner"


class Head(NamedTuple):
    """The last batch of a partition."""

    no: int
    hash: bytes


@dataclass(slots=True, kw_only=True)
class Trail:
    """The batches that were published behind ``begins``, partition by partition."""

    begins: Mapping[int, Head]
    batches: int = 0
    transfers: int = 0
    repeats: int = 0
    contradictions: Counter[str] = field(default_factory=Counter)
    heads: dict[int, Head] = field(init=False)
    _hashes: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.heads = dict(self.begins)

    def take(self, entries: LedgerEntries) -> None:
        """Take down the next record of its partition; a repeat must be what it was."""
        place, head = entries.partition, self.heads[entries.partition]
        if entries.batch_no <= head.no:
            self.repeats += 1
            if self._hashes.get((place, entries.batch_no)) != entries.hash:
                self.contradictions["a batch came again as another one"] += 1
            return
        if entries.batch_no > head.no + 1:
            self.contradictions["batches are missing"] += entries.batch_no - head.no - 1
        elif entries.previous_hash != head.hash:
            self.contradictions["a batch does not follow the one before"] += 1
        self.batches += 1
        self.transfers += len(entries.transfers)
        self.heads[place] = Head(entries.batch_no, entries.hash)
        self._hashes[place, entries.batch_no] = entries.hash

    def holds(self, ends: Mapping[int, Head]) -> bool:
        """Whether each partition was followed at least that far."""
        return all(self.heads[place].no >= end.no for place, end in ends.items())

    def close(self, ends: Mapping[int, Head]) -> None:
        """Compare where it ends with the books."""
        for place, end in ends.items():
            if self.heads[place] != end:
                self.contradictions["entries end elsewhere than the books"] += 1

    def figures(self) -> dict[str, Any]:
        """Return plain values for a result file."""
        return {
            "is_clean": not self.contradictions,
            "batches": self.batches,
            "transfers": self.transfers,
            "repeats": self.repeats,
            "contradictions": dict(self.contradictions),
        }


async def read_heads(dsn: str) -> dict[int, Head]:
    """Return the last batch of every partition of the books."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(_HEADS)
    finally:
        await connection.close()
    return {row["partition"]: Head(row["batch_no"], row["head"]) for row in rows}


async def check_entries(bootstrap: str, dsn: str, begins: Mapping[int, Head]) -> Trail:
    """Read the topic until it holds what the books hold now, and compare.

    ``begins`` are the heads of the books from before the topic; nobody may write meanwhile.
    Raises BusUnavailable and TopicUnknown.
    """
    trail, ends = Trail(begins=begins), await read_heads(dsn)
    bus = KafkaBus(KafkaSettings(bootstrap=bootstrap), SystemClock(), client="lesko-loadtests")
    await bus.start()
    try:
        starts = dict.fromkeys(begins)
        reader = await bus.open_reader(topics.ENTRIES, starts=starts)
        try:
            async with asyncio.timeout(ARRIVE_WITHIN_S):
                await _follow(reader, trail, ends)
        except TimeoutError:
            trail.contradictions["entries did not come in time"] += 1
        finally:
            await reader.close()
    finally:
        await bus.stop()
    trail.close(ends)
    return trail


async def _follow(reader: Reader, trail: Trail, ends: Mapping[int, Head]) -> None:
    while not trail.holds(ends):
        taken = await reader.take(wait_ms=_TAKE_MS, records_max=_TAKE_MAX)
        for records in taken.values():
            for record in records:
                trail.take(LedgerEntries.FromString(record.value))
