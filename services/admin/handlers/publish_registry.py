"""Publish the registry: everything at first and on a new log, then what has changed since."""

from collections.abc import Awaitable, Callable
from typing import Final

from libs.bus.port import Bus, Outgoing
from libs.clock import Clock
from libs.contracts.envelope import first_envelope
from libs.contracts.topics import REGISTRY, REGISTRY_CHANGE
from libs.outcome import Fault
from libs.registry import write_published
from services.admin.ports import RegistryRows, Relay

_PARTITION: Final = 0

CatchUp = Callable[[], Awaitable[int]]
"""Takes over what the topic knows and the table does not, see CatchUpRegistry."""


class RelayHeld(Fault):
    """Another process publishes the registry."""

    retriable = True


class PublishRegistry:
    """The one ordered relay from the table to the topic.

    Its position is not stored: a new turn, a new log, and each ``again_every_ms`` publish every
    row again, and readers ignore versions that they have. So nothing depends on a bus that may
    forget or lose its tail. A record behind the last row names the log that now holds them all:
    readers believe no log without one.
    """

    def __init__(
        self,
        rows: RegistryRows,
        relay: Relay,
        bus: Bus,
        clock: Clock,
        catch_up: CatchUp,
        *,
        rows_max: int,
        send_timeout_ms: int,
        again_every_ms: int,
    ) -> None:
        self._rows = rows
        self._relay = relay
        self._bus = bus
        self._clock = clock
        self._catch_up = catch_up
        self._rows_max = rows_max
        self._send_timeout_ms = send_timeout_ms
        self._again_every_ms = again_every_ms
        self._turn: tuple[str, int] | None = None
        self._position = 0
        self._is_full = False  # Whether this publication began at the first row.
        self._entities = 0
        self._again_at_ms = 0

    async def __call__(self) -> int:
        """Publish all that is due, in order; return the number of records.

        Raises RelayHeld, StoreUnavailable and the bus's faults; the next call goes on where this
        one failed.
        """
        log = await self._begin_turn()
        published = 0
        while rows := await self._rows.read_changes(after=self._position, rows_max=self._rows_max):
            await self._bus.publish(
                [_outgoing(row.entity, row.record) for row in rows],
                timeout_ms=self._send_timeout_ms,
            )
            self._position = rows[-1].position
            self._entities += len(rows)
            published += len(rows)
        await self._end_full(log)
        return published

    async def _end_full(self, log: str) -> None:
        """Say that the log holds every row, once; also where there is none yet."""
        if not self._is_full:
            return
        # The log is the one that was asked before the first row: where the topic has become
        # another one meanwhile, this names a log that nobody reads any more.
        ended = write_published(log, entities=self._entities)
        await self._bus.publish(
            [_outgoing(ended.entity, ended.SerializeToString())], timeout_ms=self._send_timeout_ms
        )
        self._is_full = False

    async def _begin_turn(self) -> str:
        """See that nobody else publishes, go back to the first row where due; return the log."""
        log = (await self._bus.topic(REGISTRY)).id
        number = await self._relay.turn(log)
        if number is None:
            self._turn = None
            raise RelayHeld("another admin process publishes it; waiting to take over")
        if (log, number) != self._turn:
            await self._catch_up()  # Before anything is sent behind it.
        now_ms = self._clock.monotonic_ms()
        if (log, number) != self._turn or now_ms >= self._again_at_ms:
            self._turn, self._position = (log, number), 0
            self._is_full, self._entities = True, 0
            self._again_at_ms = now_ms + self._again_every_ms
        return log


def _outgoing(entity: str, record: bytes) -> Outgoing:
    envelope = first_envelope(
        schema=REGISTRY_CHANGE, answer_topic="", answer_partition=0, deadline_ms=0
    )
    return Outgoing(REGISTRY, _PARTITION, entity.encode(), record, envelope.SerializeToString())
