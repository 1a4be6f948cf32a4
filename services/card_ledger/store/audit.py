"""What the verifier reads: one snapshot of all tables."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from libs.pg import Connection, Pool
from services.card_ledger.domain.audit import (
    AccountRow,
    Outside,
    OwnerRow,
    Spent,
    StoredBatch,
    UsageDiffers,
)
from services.card_ledger.domain.chain import BatchHead
from services.card_ledger.domain.transfer import Transfer, transfer_id
from services.card_ledger.store.books import COLUMNS

_OWNERS = """
    SELECT partition, batch_no, serial, head, projected_id FROM card_ledger.owner ORDER BY partition
"""
_BATCHES = """
    SELECT incarnation, partition, no, epoch, first_id, last_id, source_offset, n, at_ms,
           previous_hash, hash
      FROM card_ledger.batch WHERE partition = $1 AND no > $2 ORDER BY no LIMIT $3
"""
_ROWS = f"""
    SELECT {COLUMNS} FROM card_ledger.transfer WHERE id BETWEEN $1 AND $2 ORDER BY id
"""  # noqa: S608 -- our own columns
_STRAYS = f"""
    SELECT {COLUMNS} FROM card_ledger.transfer t
     WHERE id BETWEEN $1 AND $2 AND NOT EXISTS (
           SELECT 1 FROM card_ledger.batch b
            WHERE b.partition = $3 AND b.no > 0 AND b.n > 0
              AND t.id BETWEEN b.first_id AND b.last_id)
     ORDER BY id LIMIT 20
"""  # noqa: S608 -- our own columns
_PARTITIONS = "SELECT partitions FROM card_ledger.setting"
# Nothing of a partition is read by these numbers, so nothing else would look at it.
_OUTSIDE = """
    (SELECT 'row' AS what, id AS number, id >> 48 AS partition FROM card_ledger.transfer
      WHERE NOT id >> 48 = ANY($1::int[]) OR id & 281474976710655 = 0 ORDER BY id LIMIT 20)
    UNION ALL
    (SELECT 'batch', no, partition FROM card_ledger.batch
      WHERE NOT partition = ANY($1::int[]) OR no < 1 ORDER BY partition, no LIMIT 20)
    UNION ALL
    (SELECT 'account', number, partition FROM card_ledger.account
      WHERE NOT partition = ANY($1::int[]) ORDER BY number LIMIT 20)
"""
_COUNT = "SELECT count(*) FROM card_ledger.transfer WHERE id BETWEEN $1 AND $2"
_WRONG_TIME = """
    SELECT t.id FROM card_ledger.transfer t
      JOIN card_ledger.batch b ON b.partition = $1 AND t.id BETWEEN b.first_id AND b.last_id
     WHERE t.id BETWEEN $2 AND $3 AND t.at <> to_timestamp(b.at_ms / 1000.0) ORDER BY 1 LIMIT 20
"""
_HASH = "SELECT hash FROM card_ledger.batch WHERE partition = $1 AND no = $2"
_ACCOUNTS = """
    SELECT number, floor, balance, seq FROM card_ledger.account
     WHERE partition = $1 ORDER BY number
"""
_ONCE = "SELECT ref, kind FROM card_ledger.once WHERE ref BETWEEN $1 AND $2"
# Tables that were never analysed look empty to the planner, and a loop in a loop over all rows
# would last for ever.
_NO_LOOPS = "SET LOCAL enable_nestloop = off"
# As the projection counts (migrations/0004), but over all rows at once. The full join finds rows
# that are on one side only, also under a partition that does not exist.
_USAGE_DIFFERS = """
    WITH moved AS MATERIALIZED (
        SELECT o.partition, t.id, t.key_day, t.wallet, t.booked_on, t.amount, t.leg, t.kind,
               t.ref
          FROM card_ledger.transfer t
          JOIN card_ledger.owner o ON o.partition = t.id >> 48 AND t.id <= o.projected_id
         WHERE t.outcome = 1 AND t.debit_seq > 0 AND t.kind IN (1, 5)
    ), spent AS (
        SELECT partition, wallet, booked_on, amount, (leg = 0)::int AS n
          FROM moved WHERE kind = 1
        UNION ALL
        SELECT m.partition, m.wallet, o.booked_on, -m.amount, -(m.leg = 100)::int
          FROM moved m JOIN moved o ON o.id = m.ref AND o.key_day = m.key_day
         WHERE m.kind = 5
    ), counted AS (
        SELECT partition, wallet, booked_on, sum(amount)::bigint AS amount, sum(n)::int AS n
          FROM spent GROUP BY partition, wallet, booked_on
    )
    SELECT partition, wallet, booked_on, u.amount, u.count, c.amount, c.n, count(*) OVER ()
      FROM card_ledger.limit_usage u
      FULL JOIN counted c USING (partition, wallet, booked_on)
     WHERE (u.amount, u.count) IS DISTINCT FROM (c.amount, c.n)
     ORDER BY partition, wallet, booked_on LIMIT $1
"""


class AuditReader:
    """Reads one snapshot; rows come with their batches, in order."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def owners(self) -> list[OwnerRow]:
        """Return every partition's owner row."""
        return [OwnerRow(*row) for row in await self._connection.fetch(_OWNERS)]

    async def partitions(self) -> int:
        """Return how many partitions the books were made with; 0: that was taken out."""
        return int(await self._connection.fetchval(_PARTITIONS) or 0)

    async def outside(self, partitions: Sequence[int]) -> list[Outside]:
        """Return what stands under the numbers of none of these, at most 20 of each kind."""
        return [Outside(*row) for row in await self._connection.fetch(_OUTSIDE, partitions)]

    async def batches(
        self, partition: int, *, some: int = 500
    ) -> AsyncIterator[tuple[StoredBatch, Sequence[Transfer]]]:
        """Yield a partition's batches from the first on, each with the rows in its id range."""
        last_no = -1
        while True:
            found = await self._connection.fetch(_BATCHES, partition, last_no, some)
            if not found:
                return
            stored = [StoredBatch(BatchHead(*row[:9]), row[9], row[10]) for row in found]
            last_no = stored[-1].head.no
            ids = [number for s in stored for number in (s.head.first_id, s.head.last_id) if number]
            rows = await self._rows(min(ids), max(ids)) if ids else []
            for one in stored:
                low, high = one.head.first_id, one.head.last_id
                yield one, [row for row in rows if low <= row.id <= high] if low else []

    async def _rows(self, first: int, last: int) -> list[Transfer]:
        return [Transfer(*row) for row in await self._connection.fetch(_ROWS, first, last)]

    async def count(self, partition: int) -> int:
        """Return how many rows a partition has."""
        return int(await self._connection.fetchval(_COUNT, *_range(partition)))

    async def strays(self, partition: int) -> list[Transfer]:
        """Return rows, at most 20, that no batch names."""
        found = await self._connection.fetch(_STRAYS, *_range(partition), partition)
        return [Transfer(*row) for row in found]

    async def wrong_times(self, partition: int) -> list[int]:
        """Return rows, at most 20, whose time is not their batch's."""
        found = await self._connection.fetch(_WRONG_TIME, partition, *_range(partition))
        return [row["id"] for row in found]

    async def hash_of(self, partition: int, batch_no: int) -> bytes | None:
        """Return a batch's hash, None when it is not there."""
        found = await self._connection.fetchval(_HASH, partition, batch_no)
        return bytes(found) if found is not None else None

    async def accounts(self, partition: int) -> list[AccountRow]:
        """Return a partition's accounts."""
        return [AccountRow(*row) for row in await self._connection.fetch(_ACCOUNTS, partition)]

    async def once(self, partition: int) -> set[tuple[int, int]]:
        """Return what the once table says of a partition's rows."""
        return {tuple(row) for row in await self._connection.fetch(_ONCE, *_range(partition))}

    async def usage_differs(self, *, most: int) -> tuple[list[UsageDiffers], int]:
        """Return where limit_usage is not what the projected rows say, and how many there are.

        Over all partitions, the first ``most`` in order of partition, wallet and day.
        """
        await self._connection.execute(_NO_LOOPS)
        found = await self._connection.fetch(_USAGE_DIFFERS, most)
        differs = [
            UsageDiffers(partition, wallet, day, _spent(told, n), _spent(counted, of))
            for partition, wallet, day, told, n, counted, of, _ in found
        ]
        return differs, found[0][-1] if found else 0


@asynccontextmanager
async def open_audit(pool: Pool) -> AsyncIterator[AuditReader]:
    """Read everything as of one moment; payments go on meanwhile."""
    async with (
        pool.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield AuditReader(connection)


def _spent(amount: int | None, purchases: int | None) -> Spent | None:
    return None if amount is None or purchases is None else Spent(amount, purchases)


def _range(partition: int) -> tuple[int, int]:
    return transfer_id(partition, 0), transfer_id(partition + 1, 0) - 1
