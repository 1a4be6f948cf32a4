"""Go on where the commands topic has lost its tail or become another log; the books lose nothing.

A single broker may lose what it had not flushed. Whatever was booked is in the tables and repeats
hear it from there; what was never read is as if it had never been sent: the terminal reverses, an
outbox sends again (DESIGN 4). What came behind the cut before we saw it is read, since a stretch in
front of the new end is read again: it is answered from its rows.
"""

from collections.abc import Iterable, Sequence

import structlog

from libs.bus.faults import LogGap, LogReplaced, LogTailLost
from libs.outcome import Fault
from services.card_ledger.ports import Leases, OwnedPartition

READ_AGAIN = 1_000
log = structlog.get_logger("card_ledger")


class LogFollower:
    """Remembers between two tenures where to read on in a log that ended too early.

    What it remembers counts only for the very next epoch: whoever served in between knows better.
    """

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._epochs: dict[int, int] = {}  # Of the tenure in which the rest was noted.
        self._starts: dict[int, int] = {}
        self._moved: dict[int, int] = {}  # Went back from here; nothing was read since.

    def may_go_on(self, fault: BaseException) -> bool:
        """Tell whether this fault of reading is one of those that lose nothing.

        A gap at a log's beginning is one only where we went back ourselves, too far.
        """
        if isinstance(fault, LogGap) and not isinstance(fault, LogTailLost):
            return fault.last < self._moved.get(fault.partition, 0)
        return isinstance(fault, LogTailLost | LogReplaced)

    def go_on(self, faults: ExceptionGroup[Fault]) -> None:
        """Note why a tenure could not go on reading; raises the faults that lose something."""

        def may_go_on(fault: BaseException) -> bool:  # The method itself is not taken by split.
            return self.may_go_on(fault)

        lost, others = faults.split(may_go_on)
        if others is not None:
            raise others
        if lost is not None:
            self.lost(lost.exceptions)

    def lost(self, faults: Sequence[BaseException]) -> None:
        """Note where the next tenure reads on."""
        for fault in faults:
            if isinstance(fault, LogTailLost):
                log.error("log_tail_lost", topic=fault.topic, reason=str(fault), ends=fault.ends)
                self._starts.update({n: max(0, end - READ_AGAIN) for n, end in fault.ends.items()})
                self._moved.update(fault.ends)
            elif isinstance(fault, LogGap):
                log.error(
                    "log_gap_passed",
                    topic=fault.topic,
                    partition=fault.partition,
                    first=fault.first,
                    last=fault.last,
                )
                self._starts[fault.partition] = fault.last + 1
            elif isinstance(fault, LogReplaced):
                log.error("log_replaced", topic=fault.topic)

    def reached(self, partitions: Iterable[int]) -> None:
        """Note that these are read on: a gap in front of them is from now on a real one."""
        if self._moved:
            for partition in partitions:
                self._moved.pop(partition, None)

    async def correct(self, owned: Sequence[OwnedPartition], topic: str) -> list[OwnedPartition]:
        """Return the owner rows of this topic with positions that exist, and store these.

        Raises LeaseLost, and what the store raises.
        """
        for one in owned:
            if self._epochs.get(one.partition) != one.epoch - 1:
                self._starts.pop(one.partition, None)
                self._moved.pop(one.partition, None)
        moved = {
            one.partition: self._starts[one.partition] - 1
            for one in owned
            if one.topic_id == topic and one.partition in self._starts
        }
        epochs = {one.partition: one.epoch for one in owned}
        if moved:
            await self._leases.move_back({n: epochs[n] for n in moved}, moved)
        self._starts.clear()
        self._epochs = epochs
        return [
            one._replace(source_offset=moved.get(one.partition, one.source_offset)) for one in owned
        ]
