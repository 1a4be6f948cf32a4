"""The day inside a key: DE13 has no year, and new money only comes with a day near today."""

from datetime import date
from typing import Final, NamedTuple

from libs.clock import day_number, nearest_date

DAYS_BACK_MAX: Final = 3
DAYS_AHEAD_MAX: Final = 1


class KeyDay(NamedTuple):
    """DE13 with its year."""

    date: date
    number: int  # Days since 1970-01-01.
    is_open: bool  # Whether a purchase that is not known yet may carry it.


def key_day(mmdd: str, today: date) -> KeyDay | None:
    """Return the day that four digits of DE13 name, seen from today; None when there is none."""
    found = nearest_date(int(mmdd[:2]), int(mmdd[2:]), today)
    if found is None:
        return None
    away = (found - today).days
    return KeyDay(found, day_number(found), -DAYS_BACK_MAX <= away <= DAYS_AHEAD_MAX)
