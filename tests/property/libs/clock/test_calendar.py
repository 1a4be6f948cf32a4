"""What holds for every day, not only for those we thought of."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from libs.clock import day_number, day_of, nearest_date

DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 12, 31))


@given(DAYS, st.integers(min_value=-182, max_value=182))
def test_every_date_within_half_a_year_is_recognised(today: date, away: int) -> None:
    """A repeat or reversal of up to half a year keeps its date, whenever it comes."""
    meant = today + timedelta(days=away)

    assert meant == nearest_date(meant.month, meant.day, today)


@given(DAYS, st.integers(0, 99), st.integers(0, 99))
def test_never_finds_a_date_that_reads_otherwise(today: date, month: int, day: int) -> None:
    """What is found has the month and day asked for, and lies within a leap year's reach."""
    found = nearest_date(month, day, today)

    if found is not None:
        assert (month, day) == (found.month, found.day)
        assert abs(found - today) <= timedelta(days=730)


@given(DAYS)
def test_number_and_date_are_two_forms_of_one_day(day: date) -> None:
    """A day survives the way through a record."""
    assert day == day_of(day_number(day))
