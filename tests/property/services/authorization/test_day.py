"""Business days: the remembered quarter of an hour never tells another day than the calendar."""

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from libs.clock import business_day, day_number
from services.authorization.domain.day import BusinessDays

DAY_MS = 86_400_000
# Around midnights, where a mistake would show.
instants = st.builds(
    lambda day, around: day * DAY_MS + around,
    st.integers(18_262, 40_000),
    st.integers(-14 * 3_600_000, 14 * 3_600_000) | st.integers(-2, 2).map(lambda n: n * 900_000),
)


@given(
    instants=st.lists(instants, min_size=1, max_size=8),
    zone=st.sampled_from(["Asia/Jayapura", "Asia/Kathmandu", "America/Sao_Paulo"]),
)
def test_agrees_with_the_calendar(instants: list[int], zone: str) -> None:
    """In any order of instants, in zones with odd offsets and summer time too."""
    days = BusinessDays(ZoneInfo(zone))
    for instant in instants:
        expected = business_day(instant, ZoneInfo(zone))

        day = days.day_at(instant)

        assert day_number(expected) == day.number
        assert expected.strftime("%y%m") == day.year_month
