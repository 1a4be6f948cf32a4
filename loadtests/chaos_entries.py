"""The entries topic beside the books: each batch once in the tables is on the topic, word for word.

A batch that was committed but not sent when its ledger was killed is missing until somebody asks
for it; we ask, as a reader of entries would.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import asyncpg

from libs.bus import LogTailLost
from libs.bus.kafka.bus import KafkaBus
from libs.bus.kafka.settings import KafkaSettings
from libs.bus.port import Outgoing, Record
from libs.clock import SystemClock
from libs.contracts import topics
from libs.contracts.envelope import first_envelope
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand, LedgerEntries, Resend

READ_AT_ONCE: Final = 2_000
ASKED_AT_ONCE: Final = 100  # The ledger sends no more for one command.
SEND_MS: Final = 10_000
COME_WITHIN_S: Final = 20.0
BEFORE_THE_BEGINNING: Final = 100
"""So many batches of a log that was lost are asked for again, in each partition."""

HEADS: Final = "SELECT partition, batch_no FROM card_ledger.owner"
BATCHES: Final = """
    SELECT b.partition, b.no, b.hash FROM card_ledger.batch b
      JOIN unnest($1::int[], $2::bigint[]) AS f(partition, no) USING (partition)
     WHERE b.no > f.no
"""

Batch = tuple[int, int]
"""Partition and batch number."""


class Judged(NamedTuple):
    """What one look at the topic found."""

    batches: int  # In the tables since the last look.
    missing: int  # Of them not on the topic, before anybody asked.
    lost: int  # In front of the beginning of a new log, of those asked for.
    problems: list[str]


class Entries:
    """What was read of the topic so far, by partition and batch number."""

    def __init__(self, base: Mapping[int, int]) -> None:
        """Begin behind ``base``: what was booked before the topic was there."""
        self.seen: dict[Batch, bytes] = {}
        self.checked = dict(base)  # Every batch up to here was found.
        self.problems: list[str] = []

    def take(self, records: Iterable[Record]) -> None:
        """Take records; the same batch may come often, but always the same."""
        for record in records:
            entries = LedgerEntries.FromString(record.value)
            batch = entries.partition, entries.batch_no
            if entries.partition != record.partition:
                self.problems.append(f"batch {batch} stands in partition {record.partition}")
            if self.seen.setdefault(batch, entries.hash) != entries.hash:
                self.problems.append(f"batch {batch} was sent with two contents")

    def log_began_anew(self) -> None:
        """Forget the topic that is gone; its new beginning may stand behind a gap."""
        self.seen.clear()

    def begins_at(self, partition: int) -> int:
        """Return the first batch number on the topic; 0 when it has none."""
        return min((no for where, no in self.seen if where == partition), default=0)

    def missing(self, stored: Mapping[Batch, bytes]) -> list[Batch]:
        """Return what is in the tables and not on the topic, in order."""
        return sorted(stored.keys() - self.seen.keys())

    def judge(self, stored: Mapping[Batch, bytes]) -> None:
        """Complain of what is on the topic and not in the tables, or otherwise there."""
        for batch, found in self.seen.items():
            partition, number = batch
            if number <= self.checked[partition]:
                continue
            if batch not in stored:
                self.problems.append(f"batch {batch} is on the topic and not in the books")
            elif stored[batch] != found:
                self.problems.append(f"batch {batch} is on the topic with another hash")

    def settle(self, heads: Mapping[int, int]) -> list[str]:
        """Remember that all is judged up to here; return the complaints since the last time."""
        for partition, number in heads.items():
            self.checked[partition] = max(self.checked[partition], number)
        ended, self.problems = self.problems, []
        return ended


class EntriesReader:
    """Reads on at each look, and asks the ledger for what is missing; for one task."""

    def __init__(self, bootstrap: str, dsn: str) -> None:
        self._settings = KafkaSettings(bootstrap=bootstrap)
        self._dsn = dsn
        self._log = ""
        self._positions: dict[int, int | None] = {}
        self._entries = Entries({})

    async def begin(self) -> None:
        """Take the books as they are for the beginning."""
        self._entries = Entries(await self._heads())

    async def look(self) -> Judged:
        """Compare topic and tables; whatever is missing is asked for, and must come."""
        bus = KafkaBus(self._settings, SystemClock(), client="lesko-chaos")
        await bus.start()
        try:
            return await self._look(bus)
        finally:
            await bus.stop()

    async def _look(self, bus: KafkaBus) -> Judged:
        entries = self._entries
        heads = await self._heads()
        due = await self._stored()
        is_new = await self._read(bus)
        before = {
            batch
            for batch in entries.missing(due)
            if is_new and batch[1] < (entries.begins_at(batch[0]) or batch[1] + 1)
        }
        missing = [batch for batch in entries.missing(due) if batch not in before]
        asked = missing + _last(before, BEFORE_THE_BEGINNING)
        if asked:
            await self._ask(bus, asked)
            await self._until_there(bus, asked)
        entries.judge(await self._stored())
        problems = entries.settle(heads)
        if left := [batch for batch in asked if batch not in entries.seen]:
            problems.append(f"{len(left)} batches never came, {left[0]} first")
        return Judged(len(due), len(missing), len(asked) - len(missing), problems)

    async def _until_there(self, bus: KafkaBus, asked: list[Batch]) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + COME_WITHIN_S
        while loop.time() < end and not self._entries.seen.keys() >= set(asked):
            await self._read(bus)

    async def _read(self, bus: KafkaBus) -> bool:
        """Read to the end; tell whether the topic is another log than before."""
        topic = await bus.topic(topics.ENTRIES)
        was, self._log = self._log, topic.id
        is_new = bool(was) and was != topic.id
        if topic.id != was:
            self._positions = dict.fromkeys(range(topic.partitions))
        if is_new:
            self._entries.log_began_anew()
        try:
            await self._read_on(bus)
        except LogTailLost:
            self._positions = dict.fromkeys(range(topic.partitions))
            await self._read_on(bus)
        return is_new

    async def _read_on(self, bus: KafkaBus) -> None:
        reader = await bus.open_reader(topics.ENTRIES, starts=self._positions)
        try:
            while taken := await reader.take(wait_ms=200, records_max=READ_AT_ONCE):
                for partition, records in taken.items():
                    self._entries.take(records)
                    self._positions[partition] = records[-1].offset + 1
        finally:
            await reader.close()

    async def _ask(self, bus: KafkaBus, missing: Iterable[Batch]) -> None:
        records = [
            resend(partition, first, last) for partition, first, last in ranges(sorted(missing))
        ]
        await bus.publish(records, timeout_ms=SEND_MS)

    async def _heads(self) -> dict[int, int]:
        rows = await self._fetch(HEADS)
        return {row["partition"]: row["batch_no"] for row in rows}

    async def _stored(self) -> dict[Batch, bytes]:
        checked = self._entries.checked
        rows = await self._fetch(BATCHES, list(checked), list(checked.values()))
        return {(row["partition"], row["no"]): row["hash"] for row in rows}

    async def _fetch(self, query: str, *arguments: Any) -> "list[asyncpg.Record]":
        connection = await asyncpg.connect(self._dsn)
        try:
            found: list[asyncpg.Record] = await connection.fetch(query, *arguments)
            return found
        finally:
            await connection.close()


def resend(partition: int, first: int, last: int) -> Outgoing:
    """Return the command that asks for batches again; both numbers included."""
    command = LedgerCommand(resend=Resend(first_batch_no=first, last_batch_no=last))
    envelope = first_envelope(
        schema=topics.LEDGER_COMMAND, answer_topic="", answer_partition=0, deadline_ms=0
    )
    return Outgoing(
        topics.COMMANDS,
        partition,
        partition.to_bytes(4, "big"),
        command.SerializeToString(),
        envelope.SerializeToString(),
    )


def ranges(batches: list[Batch]) -> list[tuple[int, int, int]]:
    """Join neighbours, at most 100 at a time: partition, first, last."""
    found: list[tuple[int, int, int]] = []
    for partition, number in batches:
        if found:
            where, first, last = found[-1]
            if (where, last + 1) == (partition, number) and number - first < ASKED_AT_ONCE:
                found[-1] = where, first, number
                continue
        found.append((partition, number, number))
    return found


def _last(batches: Iterable[Batch], most: int) -> list[Batch]:
    """Return the last few of each partition, in order."""
    by_partition: defaultdict[int, list[Batch]] = defaultdict(list)
    for batch in sorted(batches):
        by_partition[batch[0]].append(batch)
    return [batch for some in by_partition.values() for batch in some[-most:]]
