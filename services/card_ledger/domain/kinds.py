"""Kinds of rows, and the marks that a row may carry; the numbers stand in stored rows for ever."""

from enum import IntFlag
from typing import Final

from libs.contracts.transfers import TransferKind

__all__ = ["REVERSAL_LEG", "Flag", "TransferKind"]


class Flag(IntFlag):
    """What a reader of the books should look at."""

    NONE = 0
    ABOVE_CEILING = 1  # Money that went back may lift a purse above its ceiling.


REVERSAL_LEG: Final = 100
"""Legs of a reversal share their original's key and are numbered from here."""
