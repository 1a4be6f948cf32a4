"""What is written into DE48 and DE54 is read back, and nothing that comes in raises."""

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.iso8583 import (
    Balance,
    Paid,
    build_balances,
    build_goods,
    build_paid,
    build_tags,
    parse_balances,
    parse_goods,
    parse_paid,
    parse_tags,
)

PATIENT = settings(deadline=None, max_examples=300)
AMOUNTS = st.integers(1, 999_999_999_999)
RESTRICTED = st.builds(Paid, st.just("65"), st.integers(1, 9999), AMOUNTS)
BALANCES = st.builds(Balance, st.sampled_from(["60", "65"]), AMOUNTS | AMOUNTS.map(int.__neg__))


class TestRoundTrip:
    @PATIENT
    @given(st.lists(BALANCES, max_size=6))
    def test_balances(self, balances: list[Balance]) -> None:
        """Blocks of twenty, credits and debits."""
        text = build_balances(balances)

        assert 20 * len(balances) == len(text)
        assert balances == parse_balances(text)

    @PATIENT
    @given(st.lists(RESTRICTED, min_size=1, max_size=12))
    def test_paid(self, paid: list[Paid]) -> None:
        """However many groups, no tag holds more than five."""
        text = build_paid(paid)

        assert paid == parse_paid(text)
        assert all(len(value) <= 90 for _, value in parse_tags(text) or [])

    @PATIENT
    @given(st.lists(st.tuples(st.integers(0, 9999), AMOUNTS), max_size=20))
    def test_goods(self, lines: list[tuple[int, int]]) -> None:
        """Lines stay in order over as many tags as they need."""
        assert tuple(lines) == parse_goods(build_goods(lines))

    @PATIENT
    @given(st.lists(st.tuples(st.text(min_size=2, max_size=2), st.text(max_size=99)), max_size=5))
    def test_tags(self, tags: list[tuple[str, str]]) -> None:
        """Any text inside, also what looks like a tag."""
        assert tags == parse_tags(build_tags(tags))


@PATIENT
@given(st.text(alphabet="PSGC0123456789 \x00é", max_size=60))
def test_reads_any_text_without_an_exception(text: str) -> None:
    """A list or None; only a text of tags can hold goods or payments."""
    tags = parse_tags(text)

    assert tags is None or build_tags(tags) == text
    if tags is None:
        assert (None, None) == (parse_goods(text), parse_paid(text))
    assert parse_balances(text) is None or len(text) % 20 == 0
