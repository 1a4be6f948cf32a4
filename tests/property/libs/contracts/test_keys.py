"""No two messages share a key, and every record has one place."""

from datetime import date

from hypothesis import assume, given
from hypothesis import strategies as st

from libs.clock import day_number
from libs.contracts.keys import (
    business_key,
    request_partition,
    unknown_card_partition,
    wallet_partition,
)

DAYS = st.dates(min_value=date(2020, 1, 1), max_value=date(2140, 12, 31))
PARTS = st.lists(st.text(alphabet="01 AB\x00", max_size=4), max_size=3)
"""Short parts of few letters: here two lists most easily look alike."""


@given(DAYS, PARTS, PARTS)
def test_no_two_lists_of_parts_share_a_key(day: date, one: list[str], other: list[str]) -> None:
    """Borders between parts count, empty parts count, order counts."""
    assume(one != other)

    assert business_key(day, *one) != business_key(day, *other)


@given(DAYS, DAYS, PARTS)
def test_keys_sort_by_day(one: date, other: date, parts: list[str]) -> None:
    """An older day's key is the smaller one, whatever the hash behind it."""
    assume(one < other)

    assert business_key(one, *parts) < business_key(other, "later")
    assert day_number(one) == int.from_bytes(business_key(one, *parts)[:2], "big")


@given(
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=16, max_size=16),
    st.integers(0, 1 << 47),
    st.integers(1, 255),
)
def test_every_partition_exists(key: bytes, token: bytes, wallet: int, partitions: int) -> None:
    """Whatever a record holds, it goes to a partition that is there."""
    homes = {
        request_partition(token, partitions),
        wallet_partition(wallet, partitions),
        unknown_card_partition(key, token, partitions),
        unknown_card_partition(b"", token, partitions),
    }

    assert homes <= set(range(partitions))
