"""What moved in a wallet: a page of rows, and what its purses held before and after a period."""

from typing import Final

from libs.clock import day_of
from libs.pg import Connection, Pool
from services.card_ledger.domain.answer import PurseAmount
from services.card_ledger.domain.movement import Movements, Period, page_of
from services.card_ledger.domain.transfer import Transfer
from services.card_ledger.store.books import COLUMNS

# Every part reads one index from one end of what one purse did: rows of an account are booked in
# the order of their ids, and so are its debit numbers and its booking days.
PAGE: Final = f"""
    SELECT {COLUMNS} FROM (
        SELECT debited.* FROM unnest($1::bigint[]) AS p(number), LATERAL (
            SELECT * FROM card_ledger.transfer
             WHERE debit = p.number AND debit_seq > 0 AND id > $2
               AND booked_on BETWEEN $3 AND $4 ORDER BY debit_seq LIMIT $5) AS debited
        UNION ALL
        SELECT credited.* FROM unnest($1::bigint[]) AS p(number), LATERAL (
            SELECT * FROM card_ledger.transfer
             WHERE credit = p.number AND debit_seq > 0 AND id > $2
               AND booked_on BETWEEN $3 AND $4 AND debit <> ALL ($1::bigint[])
             ORDER BY id LIMIT $5) AS credited
    ) AS moved ORDER BY id LIMIT $5
"""  # noqa: S608 -- our own columns
# The balance after the last row up to a day; a purse without one holds nothing yet.
BALANCES: Final = """
    SELECT a.number, a.programme, coalesce((
           SELECT after FROM (
               (SELECT id, debit_after AS after FROM card_ledger.transfer
                 WHERE debit = a.number AND debit_seq > 0 AND booked_on <= $2
                 ORDER BY debit_seq DESC LIMIT 1)
               UNION ALL
               (SELECT id, credit_after FROM card_ledger.transfer
                 WHERE credit = a.number AND debit_seq > 0 AND booked_on <= $2
                 ORDER BY id DESC LIMIT 1)) AS ends
            ORDER BY id DESC LIMIT 1), 0) AS balance
      FROM card_ledger.account a WHERE a.number = ANY($1::bigint[]) ORDER BY a.number
"""


class PostgresMovements:
    """Reads only committed rows, never a projection."""

    def __init__(self, pool: Pool) -> None:
        """Read through the writer's pool, whose statements go by index only and end in time."""
        self._pool = pool

    async def read_movements(self, period: Period) -> Movements:
        """Return one page as of one moment, from committed rows alone."""
        async with (
            self._pool.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            opening: tuple[PurseAmount, ...] = ()
            closing: tuple[PurseAmount, ...] = ()
            if period.is_first:
                opening = await _balances(connection, period, period.first_day - 1)
                closing = await _balances(connection, period, period.last_day)
            rows = await connection.fetch(
                PAGE,
                period.purses,
                period.after,
                day_of(period.first_day),
                day_of(period.last_day),
                period.rows_max + 1,
            )
        return page_of(period, opening, closing, [Transfer(*row) for row in rows])


async def _balances(connection: Connection, period: Period, day: int) -> tuple[PurseAmount, ...]:
    rows = await connection.fetch(BALANCES, period.purses, day_of(day))
    return tuple(PurseAmount(*row) for row in rows)
