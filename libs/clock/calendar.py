"""Pure questions about days: which day an instant falls on, which year a MMDD means."""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

EPOCH: Final = date(1970, 1, 1)


def business_day(now_ms: int, zone: ZoneInfo) -> date:
    """Return the calendar day of an instant (UTC ms) in a zone."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone).date()


def day_number(day: date) -> int:
    """Return days since 1970-01-01, the form that records carry."""
    return (day - EPOCH).days


def day_of(number: int) -> date:
    """Turn a record's day number back into a date."""
    return EPOCH + timedelta(days=number)


def nearest_date(month: int, day: int, today: date) -> date | None:
    """Return the date with this month and day that lies nearest to today (DE13 has no year).

    Looks one year back and one ahead; None when no such date exists there (0230, or 0229 far
    from a leap year). Of two equally near dates the earlier one is meant: messages come late,
    not early.
    """
    candidates = []
    for year in (today.year - 1, today.year, today.year + 1):
        try:
            candidates.append(date(year, month, day))
        except ValueError:
            continue
    return min(candidates, key=lambda found: abs((found - today).days), default=None)
