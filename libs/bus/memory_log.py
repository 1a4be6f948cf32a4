"""One partition of a memory topic: appending, reading and forgetting; no waiting happens here."""

from itertools import islice
from typing import Final

from libs.bus.port import Outgoing, Record

# What a record costs beside its bytes: the tuple, four bytes objects, its place in a list.
OVERHEAD_BYTES: Final = 300


class Log:
    """Records in order without holes, from ``first`` up to but not including ``end``."""

    __slots__ = ("end", "first", "records", "size_bytes")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.first = 0
        self.end = 0
        self.size_bytes = 0

    def append(self, outgoing: Outgoing, now_ms: int) -> None:
        """Add one record at the end."""
        topic, partition, key, value, envelope = outgoing
        record = Record(topic, partition, self.end, key, value, envelope, now_ms)
        self.records.append(record)
        self.end += 1
        self.size_bytes += OVERHEAD_BYTES + len(key) + len(value) + len(envelope)

    def read(self, position: int, records_max: int) -> list[Record]:
        """Return at most so many records from a position that is within the log."""
        index = position - self.first
        return self.records[index : index + records_max]

    def forget(self, needed_from: int, keep_bytes: int) -> None:
        """Drop the oldest records that nobody needs, but keep that much of the end."""
        size = self.size_bytes
        dropped = 0
        for record in islice(self.records, max(0, needed_from - self.first)):
            smaller = size - _size(record)
            if smaller < keep_bytes:
                break
            size = smaller
            dropped += 1
        del self.records[:dropped]
        self.first += dropped
        self.size_bytes = size


class CompactedLog(Log):
    """Only the last record of each key, in order of offsets; its keys are its bound."""

    __slots__ = ("_by_key",)

    def __init__(self) -> None:
        super().__init__()
        self._by_key: dict[bytes, Record] = {}

    def append(self, outgoing: Outgoing, now_ms: int) -> None:
        """Add one record at the end and drop the one of the same key."""
        topic, partition, key, value, envelope = outgoing
        self._by_key.pop(key, None)  # So that the key moves to the end of the dict.
        self._by_key[key] = Record(topic, partition, self.end, key, value, envelope, now_ms)
        self.end += 1

    def read(self, position: int, records_max: int) -> list[Record]:
        """Return at most so many of the records that are left from a position on."""
        newest_first = []
        for record in reversed(self._by_key.values()):
            if record.offset < position:
                break
            newest_first.append(record)
        newest_first.reverse()
        return newest_first[:records_max]

    def forget(self, needed_from: int, keep_bytes: int) -> None:
        """Keep everything: what a key is now must always be readable."""


def _size(record: Record) -> int:
    return OVERHEAD_BYTES + len(record.key) + len(record.value) + len(record.envelope)
