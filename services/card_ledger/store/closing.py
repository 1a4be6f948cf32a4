"""What a day closing reads: every account's day, summed from transfer rows, in one snapshot."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Final

from libs.pg import Connection, Pool
from services.card_ledger.domain.closing import AccountDay

# Sums of all rows up to the day, beside the projected balance brought back to the end of the day:
# without what was booked later, with what was not projected yet.
_ACCOUNTS: Final = """
    WITH moved AS (
        SELECT side.number, side.amount, t.booked_on, t.id <= o.projected_id AS seen
          FROM card_ledger.transfer t JOIN card_ledger.owner o ON o.partition = t.id >> 48,
               LATERAL (VALUES (t.debit, -t.amount), (t.credit, t.amount)) AS side(number, amount)
         WHERE t.debit_seq > 0
    ), summed AS (
        SELECT number,
               sum(amount) FILTER (WHERE booked_on < $1) AS opening,
               -sum(amount) FILTER (WHERE booked_on = $1 AND amount < 0) AS debits,
               sum(amount) FILTER (WHERE booked_on = $1 AND amount > 0) AS credits,
               sum(amount) FILTER (WHERE booked_on > $1 AND seen) AS later,
               sum(amount) FILTER (WHERE booked_on <= $1 AND NOT seen) AS unseen
          FROM moved GROUP BY number
    )
    SELECT number, coalesce(opening, 0)::bigint, coalesce(debits, 0)::bigint,
           coalesce(credits, 0)::bigint,
           (coalesce(balance, 0) - coalesce(later, 0) + coalesce(unseen, 0))::bigint
      FROM card_ledger.account FULL JOIN summed USING (number) ORDER BY number
"""
# By the clock of the server, whoever asks from wherever: and a batch that began before midnight has
# long been written or given up ten minutes later.
_OPEN_DAY: Final = "SELECT ((clock_timestamp() - interval '10 minutes') AT TIME ZONE $1)::date"
_SETTINGS: Final = "SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '64MB'"
_ROWS_AT_ONCE: Final = 5_000


class ClosingReader:
    """Reads one snapshot; accounts come as they are read, a million of them needs no memory."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def open_day(self, zone: str) -> date:
        """Return the first day in a zone that may still get bookings."""
        found: date = await self._connection.fetchval(_OPEN_DAY, zone)
        return found

    async def accounts(self, day: date) -> AsyncIterator[AccountDay]:
        """Give every account that has a row or was opened, by number."""
        await self._connection.execute(_SETTINGS)
        async for row in self._connection.cursor(_ACCOUNTS, day, prefetch=_ROWS_AT_ONCE):
            yield AccountDay(*row)


@asynccontextmanager
async def open_closing(pool: Pool) -> AsyncIterator[ClosingReader]:
    """Read everything as of one moment; payments go on meanwhile."""
    async with (
        pool.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield ClosingReader(connection)
