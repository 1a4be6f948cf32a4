"""The ledger's own SQL states, turned into its faults in one place."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from services.card_ledger.ports import KeyTaken, LeaseLost

FENCED = "LF001"


@contextmanager
def ledger_faults() -> Iterator[None]:
    """Turn a fenced statement into LeaseLost and a unique violation into KeyTaken.

    Stands inside the pool's own translation, which sees every other exception of the driver.
    """
    try:
        yield
    except asyncpg.UniqueViolationError:
        raise KeyTaken("a key of the batch is stored already") from None
    except asyncpg.PostgresError as error:
        if error.sqlstate != FENCED:
            raise
        lost = [int(number) for number in (error.detail or "").split(",") if number]
        raise LeaseLost(lost) from None
