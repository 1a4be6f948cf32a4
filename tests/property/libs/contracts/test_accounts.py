"""Account numbers go round trip and never meet."""

from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.accounts import (
    AccountKind,
    account_number,
    kind_of,
    owner_of,
    partition_of,
    sub_of,
)

PARTS = st.tuples(
    st.sampled_from(AccountKind),
    st.integers(min_value=0, max_value=(1 << 48) - 1),
    st.integers(min_value=0, max_value=255),
)


@given(PARTS)
def test_gives_back_what_it_was_built_from(parts: tuple[AccountKind, int, int]) -> None:
    """Kind, owner and purse are read from the number alone, so no two accounts share one."""
    account = account_number(*parts)

    assert parts == (kind_of(account), owner_of(account), sub_of(account))
    assert 0 < account < 1 << 63


@given(st.integers(0, (1 << 48) - 1), st.integers(0, 255), st.integers(1, 255))
def test_partition_of_a_purse_depends_on_its_wallet_only(
    wallet: int, purse: int, partitions: int
) -> None:
    """Whatever the purse, it lives where its wallet lives."""
    account = account_number(AccountKind.PURSE, wallet, purse)

    assert wallet % partitions == partition_of(account, partitions)
