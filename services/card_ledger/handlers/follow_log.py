"""Go on where the commands topic has lost its tail or become another log; the books lose nothing.

A single broker may lose what it had not flushed. Whatever was booked is in the tables and repeats
hear it from there; what was never read is as if it had never been sent: the terminal reverses, an
outbox sends again (DESIGN 4). What came behind the cut before we saw it is read, since a stretch in
front of the new end is read again: it is answered from its rows.
"""

from collections.abc import Sequence

import structlog

from libs.bus.faults import LogGap, LogReplaced, LogTailLost
from services.card_ledger.ports import Leases, OwnedPartition

READ_AGAIN = 1_000
log = structlog.get_logger("card_ledger")


class LogFollower:
    """Remembers between two tenures where to read on in a log that ended too early."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._starts: dict[int, int] = {}
        self._moved: set[int] = set()

    def may_go_on(self, fault: BaseException) -> bool:
        """Tell whether this fault of reading is one of those that lose nothing.

        A gap at a log's beginning is one only where we went back ourselves, too far.
        """
        if isinstance(fault, LogGap) and not isinstance(fault, LogTailLost):
            return fault.partition in self._moved
        return isinstance(fault, LogTailLost | LogReplaced)

    def lost(self, faults: Sequence[BaseException]) -> None:
        """Note why a tenure could not go on reading."""
        for fault in faults:
            if isinstance(fault, LogTailLost):
                log.error("log_tail_lost", topic=fault.topic, reason=str(fault), ends=fault.ends)
                again = {n: max(0, end - READ_AGAIN) for n, end in fault.ends.items()}
                self._starts.update(again)
                self._moved.update(again)
            elif isinstance(fault, LogGap):
                self._starts[fault.partition] = fault.last + 1
            elif isinstance(fault, LogReplaced):
                log.error("log_replaced", topic=fault.topic)

    async def correct(self, owned: Sequence[OwnedPartition], topic: str) -> list[OwnedPartition]:
        """Return the owner rows of this topic with positions that exist, and store these.

        Raises LeaseLost, and what the store raises; the same call is then due again.
        """
        moved = {
            one.partition: self._starts[one.partition] - 1
            for one in owned
            if one.topic_id == topic and one.partition in self._starts
        }
        if moved:
            await self._leases.move_back({n: _epoch(owned, n) for n in moved}, moved)
        self._starts.clear()
        return [
            one._replace(source_offset=moved.get(one.partition, one.source_offset)) for one in owned
        ]


def _epoch(owned: Sequence[OwnedPartition], partition: int) -> int:
    return next(one.epoch for one in owned if one.partition == partition)
