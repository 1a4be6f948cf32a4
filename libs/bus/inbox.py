"""Questions that wait for their answers on an edge's own partition."""

from collections.abc import Callable
from typing import Generic, TypeVar

from google.protobuf.message import DecodeError

from libs.bus.port import Reader, Record
from libs.clock import Clock
from libs.contracts.envelope import read_envelope

Context = TypeVar("Context")


class Inbox(Generic[Context]):
    """Brings each answer together with what was remembered of its question, once.

    Deadlines are milliseconds of ``clock.monotonic_ms``. For one task that takes.
    """

    def __init__(
        self, reader: Reader, clock: Clock, *, notice: Callable[[Record], None] | None = None
    ) -> None:
        """Take from ``reader``; ``notice`` hears records that belong to no conversation."""
        self._reader = reader
        self._clock = clock
        self._notice = notice
        # In order of asking, which is nearly that of deadlines: sweeping looks at the front only.
        self._waiting: dict[bytes, tuple[int, Context]] = {}
        self.late = 0  # Answers that nobody waited for any more, or that were never asked for.
        self.malformed = 0

    def __len__(self) -> int:
        """Return how many questions wait."""
        return len(self._waiting)

    def expect(self, correlation_id: bytes, deadline_ms: int, context: Context) -> None:
        """Remember a question; do it before it is published."""
        self._waiting[correlation_id] = (deadline_ms, context)

    def forget(self, correlation_id: bytes) -> Context | None:
        """Stop waiting for an answer, for example because the question could not be sent."""
        found = self._waiting.pop(correlation_id, None)
        return None if found is None else found[1]

    async def take(
        self, *, wait_ms: int = 1_000, records_max: int = 2_000
    ) -> list[tuple[Context, Record]]:
        """Return answers that came in time, in order; empty after ``wait_ms`` without a record."""
        batch = await self._reader.take(wait_ms=wait_ms, records_max=records_max)
        if not batch:
            return []
        answers = []
        now_ms = self._clock.monotonic_ms()
        pop = self._waiting.pop
        for records in batch.values():
            for record in records:
                try:
                    correlation_id = read_envelope(record.envelope).correlation_id
                except DecodeError:
                    self.malformed += 1
                    continue
                found = pop(correlation_id, None)
                if found is None or found[0] <= now_ms:
                    if self._notice is not None and not correlation_id:
                        self._notice(record)
                    else:
                        self.late += 1
                else:
                    answers.append((found[1], record))
        self._reader.acknowledge({n: records[-1].offset for n, records in batch.items()})
        return answers

    def sweep(self) -> list[Context]:
        """Forget questions whose deadline has passed and return what was remembered, oldest first.

        Looks only as far as the first one that still has time: a question with a short deadline
        may stay behind one with a long deadline until that passes. Its answer is late all the same.
        """
        now_ms = self._clock.monotonic_ms()
        expired = []
        for correlation_id, (deadline_ms, context) in self._waiting.items():
            if deadline_ms > now_ms:
                break
            expired.append((correlation_id, context))
        for correlation_id, _ in expired:
            del self._waiting[correlation_id]
        return [context for _, context in expired]
