"""Account numbers: kind, owner and purse or shard in one 63-bit number (DESIGN 6)."""

from enum import IntEnum

_OWNER_BITS = 48
_SUB_BITS = 8
_SUB_MASK = (1 << _SUB_BITS) - 1
_OWNER_MASK = (1 << _OWNER_BITS) - 1

OWN_PURSE = 0
PURSES_MAX = 5
"""Restricted purses that one wallet may hold (edc.md, Messages)."""


class AccountKind(IntEnum):
    """What an account is for; the number stands in stored rows."""

    PURSE = 1  # owner: wallet, sub: 0 the own purse, 1..5 restricted ones.
    OUTLET = 2  # owner: outlet, sub: partition. No floor.
    FUNDING = 3  # sub: partition. Where opening balances come from. No floor.
    PROGRAMME = 4  # owner: programme, sub: partition.
    TRANSIT = 5  # sub: partition. Must return to zero.
    QUOTA_HEAD = 6  # Head of a shared account with a floor.
    ADJUSTMENT = 7  # sub: partition. The other side of manual adjustments. No floor.


def account_number(kind: AccountKind, owner: int, sub: int) -> int:
    """Build an account number; ``owner`` below 2**48, ``sub`` below 256."""
    return kind << (_OWNER_BITS + _SUB_BITS) | owner << _SUB_BITS | sub


def purse_account(wallet: int, purse: int = OWN_PURSE) -> int:
    """Return the account of a wallet's purse; 0 is the own one."""
    return account_number(AccountKind.PURSE, wallet, purse)


def outlet_account(outlet: int, partition: int) -> int:
    """Return the outlet's shard in a ledger partition."""
    return account_number(AccountKind.OUTLET, outlet, partition)


def adjustment_account(partition: int) -> int:
    """Return the other side of manual adjustments in a ledger partition."""
    return account_number(AccountKind.ADJUSTMENT, 0, partition)


def kind_of(account: int) -> AccountKind:
    """Return the kind inside an account number; ``ValueError`` for none of ours."""
    return AccountKind(account >> (_OWNER_BITS + _SUB_BITS))


def is_purse(account: int) -> bool:
    """Tell whether it is a person's purse."""
    return account >> (_OWNER_BITS + _SUB_BITS) == AccountKind.PURSE


def owner_of(account: int) -> int:
    """Return the owner inside an account number."""
    return account >> _SUB_BITS & _OWNER_MASK


def sub_of(account: int) -> int:
    """Return the purse or shard inside an account number."""
    return account & _SUB_MASK


def partition_of(account: int, partitions: int) -> int:
    """Return the ledger partition that an account lives in."""
    if is_purse(account):
        return owner_of(account) % partitions
    return sub_of(account)
