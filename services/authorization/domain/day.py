"""The business day of a message, in the two forms that rules compare."""

from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from libs.clock import business_day, day_number

_QUARTER_MS: Final = 15 * 60 * 1_000


class Day(NamedTuple):
    """One business day."""

    number: int  # Days since 1970-01-01.
    year_month: str  # YYMM, as a card's expiry.


class BusinessDays:
    """Tells the day of an instant in the business zone.

    Remembers the last quarter of an hour: every zone's midnight falls on one (offsets are
    multiples of 15 minutes), so messages that come together cost one look at the calendar.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._quarter = -1
        self._day = Day(0, "7001")

    def day_at(self, instant_ms: int) -> Day:
        """Return the business day of an instant (Unix ms)."""
        quarter = instant_ms // _QUARTER_MS
        if quarter != self._quarter:
            found = business_day(instant_ms, self._zone)
            self._quarter = quarter
            self._day = Day(day_number(found), f"{found.year % 100:02d}{found.month:02d}")
        return self._day
