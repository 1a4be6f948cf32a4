"""The audit's table: appended under the lock of its head, in the same transaction as the change."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from libs.clock import Clock
from libs.pg import Connection, Pool
from services.admin.domain.act import Act, Json, canonical
from services.admin.domain.audit import AuditHead, AuditRow, row_hash
from services.admin.domain.role import Caller

_COLUMNS: Final = "no, at_ms, operator, login, action, entity, result, content"
_HEAD: Final = "SELECT no, hash FROM admin.audit_head FOR UPDATE"
_ADD: Final = f"""
    INSERT INTO admin.audit ({_COLUMNS}, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""  # noqa: S608 -- our own columns
_MOVE_HEAD: Final = "UPDATE admin.audit_head SET no = $1, hash = $2"
_LATEST: Final = f"""
    SELECT {_COLUMNS} FROM admin.audit
     WHERE ($1 = '' OR entity = $1) AND ($2 = '' OR login = $2) AND ($3::bigint = 0 OR no < $3)
     ORDER BY no DESC LIMIT $4
"""  # noqa: S608 -- our own columns
_ALL: Final = f"SELECT {_COLUMNS}, hash FROM admin.audit ORDER BY no"  # noqa: S608 -- as above
_HEAD_NOW: Final = "SELECT no, hash FROM admin.audit_head"
_ROWS_AT_ONCE: Final = 2_000


class AuditTable:
    """The audit within a transaction."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def add(
        self, caller: Caller | None, act: Act, result: str, more: Mapping[str, Json]
    ) -> int:
        """Append a row behind the last one; return its number. Writers wait for one another."""
        head = await self._connection.fetchrow(_HEAD)
        assert head is not None  # The migration made the one row.
        content: dict[str, Json] = {"content": dict(act.content), **more}
        if act.reason:
            content["reason"] = act.reason
        if act.document:
            content["document"] = act.document
        row = AuditRow(
            no=head["no"] + 1,
            at_ms=self._clock.now_ms(),
            operator=caller.operator if caller else 0,
            login=caller.login if caller else "",
            action=act.action,
            entity=act.entity,
            result=result,
            content=canonical(content),
        )
        hashed = row_hash(row, head["hash"])
        await self._connection.execute(_ADD, *row, hashed)
        await self._connection.execute(_MOVE_HEAD, row.no, hashed)
        return row.no


class AuditStore:
    """What is read of the audit outside of a transaction that writes."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def latest(
        self, *, entity: str, login: str, before: int, rows_max: int
    ) -> Sequence[AuditRow]:
        """Return rows newest first; empty strings mean any, ``before`` 0 means from the end."""
        rows = await self._pool.read(_LATEST, entity, login, before, rows_max)
        return [AuditRow(*row) for row in rows]

    async def head(self) -> AuditHead:
        """Return where the chain ends."""
        [row] = await self._pool.read(_HEAD_NOW)
        return AuditHead(row["no"], row["hash"])

    @asynccontextmanager
    async def chain(
        self,
    ) -> AsyncIterator[tuple[AuditHead, AsyncIterator[tuple[AuditRow, bytes]]]]:
        """Open one snapshot: the table's own head, and every row with its hash from the first on.

        Rows come a few thousand at a time, however many there are.
        """
        async with (
            self._pool.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            head = await connection.fetchrow(_HEAD_NOW)
            assert head is not None  # The migration made the one row.
            yield AuditHead(head["no"], head["hash"]), _rows(connection)


async def _rows(connection: Connection) -> AsyncIterator[tuple[AuditRow, bytes]]:
    async for row in connection.cursor(_ALL, prefetch=_ROWS_AT_ONCE):
        yield AuditRow(*row[:8]), row[8]
