"""Watch tenures end: memory that the tables contradict is read again, at once, then ever slower."""

from collections.abc import Callable, Collection, Sequence

import structlog

from libs.bus import BusUnavailable
from services.card_ledger.handlers.post_transfers import HistoryDiffers

FIRST_PAUSE_MS = 1_000
LAST_PAUSE_MS = 60_000
log = structlog.get_logger("card_ledger")


class ForkWatch:
    """Counts the tenures that a fork ended, until the partitions it stopped have settled work.

    A second fork in a row means that reading the tables again did not help: they contradict
    themselves, and a person has to look.
    """

    def __init__(self, report: Callable[[str | None], None]) -> None:
        self._report = report
        self._stopped: set[int] = set()
        self._in_a_row = 0

    def ended(self, reasons: Sequence[BaseException]) -> int:
        """Tell why a tenure ended; return how many ms to wait before the next one."""
        for reason in reasons:
            if isinstance(reason, HistoryDiffers):
                return self._forked(reason)
        if isinstance(reasons[0], BusUnavailable):
            log.error("leases_given_up", reason=str(reasons[0]))
            return FIRST_PAUSE_MS  # Whoever waits for the leases and reaches the log comes first.
        log.warning("leases_lost", reason=str(reasons[0]))
        return 0

    def settled(self, partitions: Collection[int]) -> None:
        """Note which partitions settled work; all is well once each stopped one has."""
        if self._stopped:
            self._stopped.difference_update(partitions)
            if not self._stopped:
                self._in_a_row = 0
                self._report(None)

    def _forked(self, fork: HistoryDiffers) -> int:
        self._in_a_row += 1
        self._stopped.update(fork.partitions)
        log.error(
            "books_fork",
            constraint=fork.constraint,
            table=fork.table,
            partitions=fork.partitions,
            reason=str(fork),
            in_a_row=self._in_a_row,
        )
        if self._in_a_row == 1:
            return 0
        self._report(
            f"partitions {sorted(self._stopped)}: nothing can be booked, the tables contradict"
            f" themselves: {fork}; tried {self._in_a_row} times; run lesko ledger verify"
        )
        return min(LAST_PAUSE_MS, FIRST_PAUSE_MS << min(self._in_a_row - 2, 16))
