"""Records that cannot be handled: where they go, and how many are too many."""

from collections.abc import Awaitable, Callable, Sequence

from google.protobuf.message import DecodeError

from libs.bus.faults import TooManyDead
from libs.bus.port import Outgoing, Record
from libs.clock import Clock
from libs.contracts import topics
from libs.contracts.envelope import Envelope, first_envelope, next_envelope, read_envelope
from libs.contracts.lesko.v1.dead_pb2 import DeadRecord


def dead_letters(clock: Clock) -> Callable[[Record, str], Awaitable[Sequence[Outgoing]]]:
    """Return the usual poison callback: a DeadRecord on ``<topic>.dead.v1``.

    Partition and key stay. It carries the record as it was and the fault's class; nobody is asked
    to answer it.
    """

    async def make(record: Record, fault: str) -> Sequence[Outgoing]:
        dead = DeadRecord(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            key=record.key,
            value=record.value,
            envelope=record.envelope,
            fault=fault,
            at_ms=clock.now_ms(),
        )
        return [
            Outgoing(
                topics.dead_letters(record.topic),
                record.partition,
                record.key,
                dead.SerializeToString(),
                _envelope(record.envelope).SerializeToString(),
            )
        ]

    return make


class DeadCount:
    """Counts settled and dead records; stops the loop rather than empty a topic into dead letters.

    A bad release fails on every record; a bad record fails on every release.
    """

    def __init__(self, *, in_a_row_max: int, window: int, in_window_max: int) -> None:
        self._in_a_row_max = in_a_row_max
        self._window = window
        self._in_window_max = in_window_max
        self._in_a_row = 0
        self._seen = 0
        self._dead = 0

    def settled(self, records: int) -> None:
        """Count records that were handled."""
        self._in_a_row = 0
        self._see(records)

    def died(self) -> None:
        """Count one that cannot be; raises TooManyDead when it is one too many."""
        self._in_a_row += 1
        self._dead += 1
        if self._in_a_row > self._in_a_row_max:
            raise TooManyDead(f"{self._in_a_row} records in a row could not be handled")
        if self._dead > self._in_window_max:
            raise TooManyDead(f"{self._dead} of {self._window} records could not be handled")
        self._see(1)

    def _see(self, records: int) -> None:
        self._seen += records
        if self._seen >= self._window:
            self._seen = 0
            self._dead = 0


def _envelope(raw: bytes) -> Envelope:
    try:
        cause = read_envelope(raw)
    except DecodeError:
        return first_envelope(
            schema=topics.DEAD_RECORD, answer_topic="", answer_partition=0, deadline_ms=0
        )
    envelope = next_envelope(cause, schema=topics.DEAD_RECORD)
    envelope.ClearField("answer_topic")
    envelope.ClearField("answer_partition")
    envelope.deadline_ms = 0
    return envelope
