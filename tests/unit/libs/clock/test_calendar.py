"""Days and years where calendars bite: New Year, leap days, the zone's midnight."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from libs.clock import EPOCH, business_day, day_number, day_of, nearest_date

JAYAPURA = ZoneInfo("Asia/Jayapura")


def instant(year: int, month: int, day: int, hour: int) -> int:
    """Return the UTC milliseconds of a full hour."""
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp() * 1000)


NEAREST = {
    "today": ((11, 24), date(2026, 11, 24), date(2026, 11, 24)),
    "yesterday": ((11, 23), date(2026, 11, 24), date(2026, 11, 23)),
    "New Year's Eve seen on New Year": ((12, 31), date(2027, 1, 1), date(2026, 12, 31)),
    "New Year seen on New Year's Eve": ((1, 1), date(2026, 12, 31), date(2027, 1, 1)),
    "three months back over New Year": ((11, 1), date(2027, 1, 30), date(2026, 11, 1)),
    "leap day on the day": ((2, 29), date(2028, 2, 29), date(2028, 2, 29)),
    "leap day the day after": ((2, 29), date(2028, 3, 1), date(2028, 2, 29)),
    "leap day a year ahead": ((2, 29), date(2027, 6, 1), date(2028, 2, 29)),
    "leap day a year ago": ((2, 29), date(2029, 1, 2), date(2028, 2, 29)),
    "1 March of a leap year": ((3, 1), date(2028, 2, 28), date(2028, 3, 1)),
    "leap day far from a leap year": ((2, 29), date(2026, 3, 1), None),
    "no such day": ((2, 30), date(2026, 3, 1), None),
    "no such month": ((13, 1), date(2026, 3, 1), None),
    "month zero": ((0, 1), date(2026, 3, 1), None),
    "day zero": ((1, 0), date(2026, 3, 1), None),
    "equally near: the earlier one": ((1, 1), date(2028, 7, 2), date(2028, 1, 1)),
}


@pytest.mark.parametrize("case", NEAREST)
def test_finds_the_year_that_was_meant(case: str) -> None:
    """DE13 has no year; the nearest date is meant, and what is no date is none."""
    (month, day), today, expected = NEAREST[case]

    assert expected == nearest_date(month, day, today)


def test_day_turns_at_the_zones_midnight() -> None:
    """15:00 UTC is midnight in Jayapura: one millisecond decides the booking day."""
    midnight = instant(2026, 11, 24, 15)

    assert date(2026, 11, 24) == business_day(midnight - 1, JAYAPURA)
    assert date(2026, 11, 25) == business_day(midnight, JAYAPURA)


def test_year_turns_in_jayapura_before_it_does_in_utc() -> None:
    """New Year begins nine hours early in the east."""
    assert date(2027, 1, 1) == business_day(instant(2026, 12, 31, 15), JAYAPURA)


def test_counts_days_from_1970() -> None:
    """Records carry days as numbers; the leap day of 2028 is one of them."""
    assert day_number(EPOCH) == 0
    assert day_number(date(2026, 11, 24)) == 20_781
    assert date(2028, 2, 29) == day_of(day_number(date(2028, 2, 28)) + 1)
