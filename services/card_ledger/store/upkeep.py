"""What the books need beside payments: day partitions, projections, new accounts."""

from collections.abc import Sequence
from datetime import date, timedelta

from libs.pg import Pool
from services.card_ledger.ports import NewAccount

_FIX_PARTITIONS = """
    INSERT INTO card_ledger.setting (partitions) VALUES ($1) ON CONFLICT DO NOTHING
"""
_PARTITIONS = "SELECT partitions FROM card_ledger.setting"
_OWNERS = """
    INSERT INTO card_ledger.owner (partition) SELECT generate_series(0, $1::int - 1)
    ON CONFLICT DO NOTHING
"""
_ENSURE_DAYS = "SELECT count(*) FILTER (WHERE card_ledger.ensure_day(d)) FROM unnest($1::date[]) d"
_AHEAD = "SELECT card_ledger.days_ahead($1)"
_IN_DEFAULT = """
    SELECT count(*) FROM (SELECT 1 FROM card_ledger.transfer_default LIMIT 1000) AS strays
"""
_DAYS_IN_DEFAULT = "SELECT card_ledger.days_in_default() AS day"
_PROJECT = "SELECT card_ledger.project($1, $2)"
_POSITIONS = """
    SELECT partition, greatest(projected_id, partition::bigint << 48) AS projected,
           (partition::bigint << 48) + serial AS last
      FROM card_ledger.owner WHERE partition = ANY($1::int[])
"""
_OPEN_ACCOUNTS = """
    WITH wanted AS (
        SELECT * FROM unnest($1::bigint[], $2::int[], $3::bigint[], $4::bigint[], $5::date[],
                             $6::int[]) AS w(number, partition, floor, ceiling, valid_until,
                                             programme)
    ), opened AS (
        INSERT INTO card_ledger.account
               (number, partition, floor, ceiling, valid_until, programme, opened_on)
        SELECT number, partition, floor, ceiling, valid_until, programme, $7 FROM wanted
        ON CONFLICT (number) DO NOTHING RETURNING number, opened_on
    )
    SELECT number, opened_on FROM opened
    UNION ALL
    SELECT a.number, a.opened_on FROM card_ledger.account a JOIN wanted USING (number)
"""


class PostgresUpkeep:
    """Upkeep on connections of its own, never on the writer's."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def fix_partitions(self, wanted: int) -> int:
        """Store the number of partitions on the first call; return what is stored, for ever."""
        await self._pool.write(_FIX_PARTITIONS, wanted)
        stored = int((await self._pool.read(_PARTITIONS))[0][0])
        await self._pool.write(_OWNERS, stored)
        return stored

    async def ensure_days(self, first: date, days: int) -> int:
        """Make the partitions of these key days; return how many were new. Idempotent."""
        wanted = [first + timedelta(days=n) for n in range(days)]
        return int((await self._pool.write(_ENSURE_DAYS, wanted))[0][0])

    async def make_days_of_default(self) -> int:
        """Give rows of the DEFAULT partition days of their own; return how many days were made."""
        days = [row["day"] for row in await self._pool.read(_DAYS_IN_DEFAULT)]
        return int((await self._pool.write(_ENSURE_DAYS, days))[0][0]) if days else 0

    async def days_ahead(self, today: date) -> int:
        """Return how many days in a row from today have a partition, at most 32."""
        return int((await self._pool.read(_AHEAD, today))[0][0])

    async def rows_in_default(self) -> int:
        """Return how many rows found no day of their own (up to 1,000): more than 0 is an alarm."""
        return int((await self._pool.read(_IN_DEFAULT))[0][0])

    async def project(self, partitions: Sequence[int], *, rows_max: int) -> int:
        """Bring the projections up to the last row; return how many balances disagreed."""
        wrong = 0
        for row in await self._pool.read(_POSITIONS, list(partitions)):
            position, last = row["projected"], row["last"]
            while position < last:
                position = min(position + rows_max, last)
                wrong += (await self._pool.write(_PROJECT, row["partition"], position))[0][0]
        return wrong

    async def open_accounts(self, accounts: Sequence[NewAccount], today: date) -> dict[int, date]:
        """Open what is not open yet; return the day on which each was opened. Idempotent."""
        columns = (list(column) for column in zip(*accounts, strict=True))
        rows = await self._pool.write(_OPEN_ACCOUNTS, *columns, today)
        return {row["number"]: row["opened_on"] for row in rows}
