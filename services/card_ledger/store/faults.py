"""The ledger's own SQL states, turned into its faults in one place."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from services.card_ledger.ports import BooksFork, KeyTaken, LeaseLost

FENCED = "LF001"
_KEY = "key, leg, key_day"
# What may be told of the others: numbers of ours and dates, never a key or a token.
_TELLABLE = frozenset({"debit, debit_seq, key_day", "id, key_day", "partition, no", "ref, kind"})


@contextmanager
def ledger_faults() -> Iterator[None]:
    """Turn a fenced statement into LeaseLost, a unique violation into KeyTaken or BooksFork.

    Stands inside the pool's own translation, which sees every other exception of the driver.
    """
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        raise _collision(error) from None
    except asyncpg.PostgresError as error:
        if error.sqlstate != FENCED:
            raise
        lost = [int(number) for number in (error.detail or "").split(",") if number]
        raise LeaseLost(lost) from None


def _collision(error: asyncpg.UniqueViolationError) -> KeyTaken | BooksFork:
    """Tell a repeat from a fork by the columns of the index that refused the row.

    Every day partition has indexes of its own, which PostgreSQL names and a person may rebuild
    under another name. DETAIL holds ``(columns)=(values)`` in every language of the server.
    """
    columns, _, values = (error.detail or "").partition("(")[2].partition(")=(")
    columns = columns.replace('"', "")
    if columns == _KEY:
        return KeyTaken("a key of the batch is stored already")
    taken = f"({columns or 'what was to be written'})"
    if columns in _TELLABLE:
        taken = f"{taken} = ({values.partition(')')[0]})"
    return BooksFork(error.constraint_name or "no name", error.table_name or "no table", taken)
