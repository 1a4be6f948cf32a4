"""Close a booking day: read every account of it in one snapshot, hand it on, add it up."""

from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Protocol

from libs.outcome import Fault
from services.card_ledger.domain.closing import AccountDay, DayClosing, DayTotals

WriteLine = Callable[[AccountDay], None]


class DayNotOver(Fault):
    """The day may still get bookings."""


class DayReader(Protocol):
    """One snapshot of the books (store.closing)."""

    def accounts(self, day: date) -> AsyncIterator[AccountDay]:
        """Give every account that has a row or was opened, by number."""


async def close_day(reader: DayReader, day: date, *, today: date, write: WriteLine) -> DayTotals:
    """Write the accounts of a day in order and return its totals. Changes nothing.

    What is over stays as it is, so the same day gives the same lines again. Raises DayNotOver for
    ``today``, the first day that may still get bookings, and what comes after it.
    """
    if day >= today:
        raise DayNotOver(f"The booking day {day} is not over; close it ten minutes after midnight.")
    closing = DayClosing()
    async for line in reader.accounts(day):
        closing.add(line)
        write(line)
    return closing.totals()
