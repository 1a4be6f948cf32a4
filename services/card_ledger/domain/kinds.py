"""Kinds of rows; the numbers stand in stored rows for ever."""

from enum import IntEnum, IntFlag
from typing import Final


class TransferKind(IntEnum):
    """Why money moved, or why it did not."""

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


class Flag(IntFlag):
    """What a reader of the books should look at."""

    NONE = 0
    ABOVE_CEILING = 1  # Money that went back may lift a purse above its ceiling.


REVERSAL_LEG: Final = 100
"""Legs of a reversal share their original's key and are numbered from here."""
