"""Account numbers and the partitions that follow from them."""

import pytest

from libs.contracts.accounts import (
    PURSES_MAX,
    AccountKind,
    account_number,
    adjustment_account,
    kind_of,
    outlet_account,
    partition_of,
    purse_account,
)


def test_purses_of_a_wallet_live_in_one_partition() -> None:
    """A purchase split over all purses still touches one partition only."""
    homes = {partition_of(purse_account(1_000_003, purse), 8) for purse in range(PURSES_MAX + 1)}

    assert {1_000_003 % 8} == homes


def test_outlet_has_a_shard_in_every_partition() -> None:
    """Shard and partition carry the same number, so a purchase is paid where its purse lives."""
    homes = [partition_of(outlet_account(7, partition), 8) for partition in range(8)]

    assert list(range(8)) == homes


def test_adjustments_have_a_side_in_every_partition() -> None:
    """A posting touches one partition, so its other side lives where the purse does."""
    homes = [partition_of(adjustment_account(partition), 8) for partition in range(8)]

    assert list(range(8)) == homes


def test_kinds_keep_their_numbers() -> None:
    """They stand in stored rows."""
    kinds = {kind.name: kind.value for kind in AccountKind}
    stored = {
        "PURSE": 1,
        "OUTLET": 2,
        "FUNDING": 3,
        "PROGRAMME": 4,
        "TRANSIT": 5,
        "QUOTA_HEAD": 6,
        "ADJUSTMENT": 7,
    }

    assert stored == {name: kinds.get(name) for name in stored}


def test_own_purse_of_wallet_one_is_this_number() -> None:
    """One number in full, so that the packing itself cannot move."""
    assert purse_account(1) == 0x01_000000000001_00


def test_refuses_a_number_of_no_kind() -> None:
    """Kind 0 does not exist: a zero in a row is no account."""
    with pytest.raises(ValueError, match="0 is not a valid"):
        kind_of(0)


def test_fits_a_signed_column() -> None:
    """The greatest account still is a bigint."""
    greatest = account_number(AccountKind.QUOTA_HEAD, (1 << 48) - 1, 255)

    assert greatest < 1 << 63
