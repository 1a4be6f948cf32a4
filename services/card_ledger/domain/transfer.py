"""The transfer row: one row is the double entry, and refusals are rows too."""

from typing import NamedTuple

from libs.contracts.transfers import (
    PARTITION_SHIFT,
    approval_code_of,
    partition_of_id,
    rrn_of,
    serial_of,
    transfer_id,
)

__all__ = [
    "PARTITION_SHIFT",
    "Transfer",
    "approval_code_of",
    "partition_of_id",
    "rrn_of",
    "serial_of",
    "transfer_id",
]


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
