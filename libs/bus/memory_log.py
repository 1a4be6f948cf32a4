"""One partition of a memory topic: appending, reading and forgetting; no waiting happens here."""

from bisect import bisect_right
from typing import Final

from libs.bus.port import Outgoing, Record

# What a record costs beside its bytes: the tuple, four bytes objects, its place in a list.
OVERHEAD_BYTES: Final = 300


class Log:
    """Records in order without holes, from ``first`` up to but not including ``end``."""

    __slots__ = ("_appended", "_dropped", "_ends", "end", "first", "records")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.first = 0
        self.end = 0
        self._appended = 0  # Bytes, ever.
        self._dropped = 0
        self._ends: list[int] = []  # What was appended up to and with each record that is left.

    @property
    def size_bytes(self) -> int:
        """What the records that are left cost."""
        return self._appended - self._dropped

    def append(self, outgoing: Outgoing, now_ms: int) -> None:
        """Add one record at the end."""
        topic, partition, key, value, envelope = outgoing
        record = Record(topic, partition, self.end, key, value, envelope, now_ms)
        self.records.append(record)
        self.end += 1
        self._appended += OVERHEAD_BYTES + len(key) + len(value) + len(envelope)
        self._ends.append(self._appended)

    def read(self, position: int, records_max: int) -> list[Record]:
        """Return at most so many records from a position that is within the log."""
        index = position - self.first
        return self.records[index : index + records_max]

    def forget(self, needed_from: int, keep_bytes: int) -> None:
        """Drop the oldest records that nobody needs, but keep that much of the end."""
        ends = self._ends
        count = min(bisect_right(ends, self._appended - keep_bytes), needed_from - self.first)
        if count <= 0:
            return
        self._dropped = ends[count - 1]
        del self.records[:count]
        del ends[:count]
        self.first += count


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
