"""Transfers as everybody may read them: their kinds, their ids, and what people see of an id."""

from enum import IntEnum
from typing import Final

PARTITION_SHIFT: Final = 48
_RRN_STRIDE: Final = 64
_SERIAL_MASK: Final = (1 << PARTITION_SHIFT) - 1


class TransferKind(IntEnum):
    """Why money moved, or why it did not; the number stands in stored rows for ever."""

    PURCHASE = 1
    TOP_UP = 2
    FEE = 3
    REFUND = 4
    REVERSAL = 5
    HOLD = 6
    COMPLETION = 7
    VOID = 8
    DISBURSEMENT = 9
    SWEEP = 10
    TOMBSTONE = 11  # A reversal came before its original; it holds the key.
    QUOTA = 12
    ADJUSTMENT = 13
    OPENING = 14  # A seeded opening balance.


def transfer_id(partition: int, serial: int) -> int:
    """Return the id of a partition's n-th row: a range of ids is a range of one partition."""
    return partition << PARTITION_SHIFT | serial


def partition_of_id(number: int) -> int:
    """Return the partition inside a transfer's id."""
    return number >> PARTITION_SHIFT


def serial_of(number: int) -> int:
    """Return the serial inside a transfer's id."""
    return number & _SERIAL_MASK


def rrn_of(number: int) -> str:
    """Return DE37 for a row whose terminal sent none: 12 digits, unique for 10**10 rows."""
    return f"{(serial_of(number) * _RRN_STRIDE + partition_of_id(number)) % 10**12:012d}"


def approval_code_of(number: int) -> str:
    """Return DE38 for an approved row: six digits."""
    return f"{serial_of(number) % 10**6:06d}"
