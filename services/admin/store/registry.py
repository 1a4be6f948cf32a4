"""The registry's table in PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from libs.contracts.lesko.v1.registry_pb2 import RegistryChange
from libs.pg import Pool
from services.admin.domain.version import latest_changes
from services.admin.ports import RegistryRow

_READ: Final = """
    SELECT position, entity, record FROM admin.registry
     WHERE position > $1 ORDER BY position LIMIT $2
"""
# Positions are drawn before a transaction commits: without the lock a reader could pass one that
# comes later. The registry is written rarely and by few.
_LOCK: Final = "LOCK TABLE admin.registry IN SHARE ROW EXCLUSIVE MODE"
_RECORD: Final = """
    WITH recorded AS (
        INSERT INTO admin.registry AS known (entity, version, status, changed_at, record)
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::smallint[], $4::timestamptz[],
                             $5::bytea[])
        ON CONFLICT (entity) DO UPDATE
           SET version = excluded.version, status = excluded.status,
               changed_at = excluded.changed_at, record = excluded.record, position = DEFAULT
         WHERE known.version < excluded.version
        RETURNING 1)
    SELECT count(*) FROM recorded
"""


class RegistryStore:
    """Every SQL string about the registry."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read_changes(self, *, after: int, rows_max: int) -> Sequence[RegistryRow]:
        """Return the rows changed after a position, in order; raises StoreUnavailable."""
        rows = await self._pool.read(_READ, after, rows_max)
        return [RegistryRow(row["position"], row["entity"], row["record"]) for row in rows]

    async def record_changes(self, changes: Sequence[RegistryChange]) -> int:
        """Take over changes, all or none; return how many rows changed.

        A version that is not higher than the known one is ignored, so seeding twice changes
        nothing. Of several changes of one entity the highest version counts. Raises
        StoreUnavailable, StoreConflict (a version or status that cannot be).
        """
        rows = latest_changes(changes)
        async with self._pool.transaction() as connection:
            await connection.execute(_LOCK)
            recorded: int = await connection.fetchval(
                _RECORD,
                [row.entity for row in rows],
                [row.version for row in rows],
                [row.status for row in rows],
                [datetime.fromtimestamp(row.changed_ms / 1_000, UTC) for row in rows],
                [row.SerializeToString() for row in rows],
            )
        return recorded
