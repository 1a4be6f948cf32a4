"""The transfer row: one row is the double entry, and refusals are rows too."""

from typing import NamedTuple

PARTITION_SHIFT = 48
_RRN_STRIDE = 64
_SERIAL_MASK = (1 << PARTITION_SHIFT) - 1


class Transfer(NamedTuple):
    """One stored row, columns in the table's order; the batch hash covers all of them.

    Amounts and balances in minor units, days as days since 1970-01-01.
    """

    id: int
    key_day: int
    key: bytes
    leg: int
    kind: int
    outcome: int
    debit: int
    credit: int
    amount: int
    debit_after: int
    credit_after: int
    debit_seq: int  # Rises by one with each debit of an account; 0 where no money moved.
    ref: int  # The row that this one reverses, else 0.
    booked_on: int
    asked: int
    wallet: int
    card: int
    card_token: bytes
    processing_code: int
    goods_class: int
    outlet: str
    terminal: str
    stan: int
    rrn_sent: str
    flags: int


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
