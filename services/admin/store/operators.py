"""The operators' table."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg

from libs.clock import Clock
from libs.pg import Connection
from services.admin.domain.operator import Operator
from services.admin.domain.role import Role, Scope
from services.admin.domain.session import Session
from services.admin.store.sessions import CLOSE, CLOSE_ALL, OPEN

# Held by whoever changes rights, so that two of them never take each other's last administrator.
_HOLD: Final = "SELECT pg_advisory_xact_lock(hashtext('admin.operator'))"
_OTHERS_EVERYWHERE: Final = """
    SELECT count(*) FROM admin.operator
     WHERE role = $1 AND id <> $2 AND NOT is_disabled AND password_hash IS NOT NULL
       AND (role <> $3 OR factor_sealed IS NOT NULL)
       AND cardinality(regions) + cardinality(groups) = 0
"""
_SELECT: Final = """
    SELECT id, login, name, role, regions, groups, version, is_disabled, password_hash,
           enrol_hash, enrol_until, factor_sealed, factor_offered, factor_step, failed,
           locked_until
      FROM admin.operator
"""
_FIND: Final = f"{_SELECT} WHERE login = $1"
_READ: Final = f"{_FIND} FOR NO KEY UPDATE"  # Rows that name an operator go on.
_LIST: Final = f"""
    {_SELECT} WHERE login COLLATE "C" > $1 ORDER BY login COLLATE "C" LIMIT $2
"""
_ADD: Final = """
    INSERT INTO admin.operator (login, name, role, regions, groups, version, is_disabled,
           password_hash, enrol_hash, enrol_until, factor_sealed, factor_offered, factor_step,
           failed, locked_until, made_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) RETURNING id
"""
_WRITE: Final = """
    UPDATE admin.operator
       SET (name, role, regions, groups, version, is_disabled, password_hash, enrol_hash,
            enrol_until, factor_sealed, factor_offered, factor_step, failed, locked_until)
         = ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
     WHERE login = $1
"""


class OperatorTable:
    """Operators and their sessions within a transaction."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def has_approver(self) -> bool:
        """Whether anybody can approve now, whatever it is: see Operator.can_act_everywhere."""
        return await self.others_everywhere(Role.APPROVER, but=0) > 0

    async def hold(self) -> None:
        """Let nobody else change rights until the transaction ends; signing in goes on."""
        await self._connection.execute(_HOLD)

    async def read(self, login: str) -> Operator | None:
        """Return an operator, locked until the transaction ends."""
        row = await self._connection.fetchrow(_READ, login)
        return None if row is None else _operator(row)

    async def find(self, login: str) -> Operator | None:
        """Return an operator as it stands, without waiting for who changes it."""
        row = await self._connection.fetchrow(_FIND, login)
        return None if row is None else _operator(row)

    async def list(self, *, after: str, rows_max: int) -> Sequence[Operator]:
        """Return operators behind a login, in order; disabled ones too."""
        rows = await self._connection.fetch(_LIST, after, rows_max)
        return [_operator(row) for row in rows]

    async def add(self, operator: Operator) -> int:
        """Add an operator whose login is free, and return the new id."""
        added: int = await self._connection.fetchval(_ADD, *_row(operator), self._now())
        return added

    async def write(self, operator: Operator) -> None:
        """Write all of an operator that was read."""
        await self._connection.execute(_WRITE, *_row(operator))

    async def others_everywhere(self, role: Role, *, but: int) -> int:
        """Count those of a role for whom Operator.can_act_everywhere holds, without this one."""
        found: int = await self._connection.fetchval(
            _OTHERS_EVERYWHERE, int(role), but, int(Role.APPROVER)
        )
        return found

    async def open_session(self, session: Session) -> None:
        """Keep a session."""
        issued, expires = _time(session.issued_ms), _time(session.expires_ms)
        await self._connection.execute(
            OPEN, session.token_hash, session.operator, issued, expires, session.has_factor
        )

    async def close_session(self, token_hash: bytes) -> None:
        """Revoke a session from now on; one that is over stays so."""
        await self._connection.execute(CLOSE, token_hash, self._now())

    async def close_sessions(self, operator: int) -> None:
        """Revoke all sessions of an operator from now on."""
        await self._connection.execute(CLOSE_ALL, operator, self._now())

    def _now(self) -> datetime | None:
        return _time(self._clock.now_ms())


def _row(one: Operator) -> tuple[Any, ...]:
    return (
        one.login, one.name, int(one.role), sorted(one.scope.regions), sorted(one.scope.groups),
        one.version, one.is_disabled, one.password_hash or None, one.enrol_hash or None,
        _time(one.enrol_until_ms), one.factor_sealed or None, one.factor_offered or None,
        one.factor_step, one.failed, _time(one.locked_until_ms),
    )  # fmt: skip


def _operator(row: asyncpg.Record) -> Operator:
    return Operator(
        id=row["id"],
        login=row["login"],
        name=row["name"],
        role=Role(row["role"]),
        scope=Scope(frozenset(row["regions"]), frozenset(row["groups"])),
        version=row["version"],
        is_disabled=row["is_disabled"],
        password_hash=row["password_hash"] or "",
        enrol_hash=row["enrol_hash"] or b"",
        enrol_until_ms=_ms(row["enrol_until"]),
        factor_sealed=row["factor_sealed"] or b"",
        factor_offered=row["factor_offered"] or b"",
        factor_step=row["factor_step"],
        failed=row["failed"],
        locked_until_ms=_ms(row["locked_until"]),
    )


def _time(ms: int) -> datetime | None:
    return datetime.fromtimestamp(ms / 1_000, UTC) if ms else None


def _ms(at: datetime | None) -> int:
    return 0 if at is None else round(at.timestamp() * 1_000)
