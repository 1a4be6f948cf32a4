"""The registry's table in PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from libs.contracts.lesko.v1.registry_pb2 import RegistryChange
from libs.pg import Connection, Pool
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
_READ_ONE: Final = "SELECT record FROM admin.registry WHERE entity = $1"
_FIND: Final = "SELECT entity, record FROM admin.registry WHERE entity = ANY($1::text[])"
# In the order of bytes, whatever the order of the database is: a kind ends behind its slash.
_LIST: Final = """
    SELECT record FROM admin.registry
     WHERE entity COLLATE "C" > $1 AND entity COLLATE "C" >= $2 AND entity COLLATE "C" < $3
     ORDER BY entity COLLATE "C" LIMIT $4
"""
_NEXT_OUTLET: Final = """
    UPDATE admin.outlet_number SET last = last + $1 RETURNING last - $1 + 1
"""
_KEEP_NUMBERS: Final = "UPDATE admin.outlet_number SET last = greatest(last, $1)"


class RegistryTable:
    """The registry within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_locked = False

    async def read(self, entity: str) -> RegistryChange | None:
        """Return the record of an entity as it is now; it stays so until the transaction ends."""
        await self.hold()
        record = await self._connection.fetchval(_READ_ONE, entity)
        return None if record is None else RegistryChange.FromString(record)

    async def list(self, kind: str, *, after: str, rows_max: int) -> Sequence[RegistryChange]:
        """Return records of a kind ("outlet") behind an entity, in order; closed ones too."""
        rows = await self._connection.fetch(_LIST, after, f"{kind}/", f"{kind}0", rows_max)
        return [RegistryChange.FromString(row["record"]) for row in rows]

    async def find(self, entities: Collection[str]) -> Mapping[str, RegistryChange]:
        """Return the records of those entities that exist."""
        rows = await self._connection.fetch(_FIND, list(entities))
        return {row["entity"]: RegistryChange.FromString(row["record"]) for row in rows}

    async def write(self, changes: Sequence[RegistryChange]) -> None:
        """Take over changes, each with a higher version than what was read."""
        await self.hold()
        recorded = await _record(self._connection, changes)
        assert len(changes) == recorded  # What was read under the lock had a lower version.

    async def outlet_numbers(self, count: int) -> int:
        """Draw owner numbers for new outlets; return the first of them."""
        first: int = await self._connection.fetchval(_NEXT_OUTLET, count)
        return first

    async def keep_outlet_numbers(self, through: int) -> None:
        """Draw no number up to this one any more."""
        await self._connection.execute(_KEEP_NUMBERS, through)

    async def hold(self) -> None:
        """Let nobody else write the registry until the transaction ends."""
        if not self._is_locked:
            await self._connection.execute(_LOCK)
            self._is_locked = True


async def _record(connection: Connection, changes: Sequence[RegistryChange]) -> int:
    recorded: int = await connection.fetchval(
        _RECORD,
        [row.entity for row in changes],
        [row.version for row in changes],
        [row.status for row in changes],
        [datetime.fromtimestamp(row.changed_ms / 1_000, UTC) for row in changes],
        [row.SerializeToString() for row in changes],
    )
    return recorded


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
            return await _record(connection, rows)
