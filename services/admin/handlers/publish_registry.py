"""Publish the registry: everything at first and on a new log, then what has changed since."""

from typing import Final

from libs.bus.port import Bus, Outgoing
from libs.contracts.envelope import first_envelope
from libs.contracts.topics import REGISTRY, REGISTRY_CHANGE
from services.admin.ports import RegistryRow, RegistryRows

_PARTITION: Final = 0


class PublishRegistry:
    """The one ordered relay from the table to the topic.

    Its position is not stored: a start publishes every row again, and readers ignore versions
    that they have. So nothing depends on a bus that may forget.
    """

    def __init__(
        self, rows: RegistryRows, bus: Bus, *, rows_max: int, send_timeout_ms: int
    ) -> None:
        self._rows = rows
        self._bus = bus
        self._rows_max = rows_max
        self._send_timeout_ms = send_timeout_ms
        self._log = ""
        self._position = 0

    async def __call__(self) -> int:
        """Publish all that is due, in order; return the number of records.

        Raises StoreUnavailable and the bus's faults; the next call goes on where this one failed.
        """
        log = (await self._bus.topic(REGISTRY)).id
        if log != self._log:
            self._log, self._position = log, 0
        published = 0
        while rows := await self._rows.read_changes(after=self._position, rows_max=self._rows_max):
            await self._bus.publish(
                [_outgoing(row) for row in rows], timeout_ms=self._send_timeout_ms
            )
            self._position = rows[-1].position
            published += len(rows)
        return published


def _outgoing(row: RegistryRow) -> Outgoing:
    envelope = first_envelope(
        schema=REGISTRY_CHANGE, answer_topic="", answer_partition=0, deadline_ms=0
    )
    return Outgoing(
        REGISTRY, _PARTITION, row.entity.encode(), row.record, envelope.SerializeToString()
    )
