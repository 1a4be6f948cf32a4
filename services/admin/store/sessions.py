"""The sessions' table: who is behind a token, looked up for each request."""

from datetime import UTC, datetime
from typing import Final

from libs.clock import Clock
from libs.pg import Pool
from services.admin.domain.role import Caller, Role, Scope
from services.admin.domain.session import token_hash

OPEN: Final = """
    INSERT INTO admin.session (token_hash, operator, issued_at, expires_at, has_factor)
    VALUES ($1, $2, $3, $4, $5)
"""
CLOSE: Final = """
    UPDATE admin.session SET revoked_at = $2 WHERE token_hash = $1 AND revoked_at IS NULL
"""
CLOSE_ALL: Final = """
    UPDATE admin.session SET revoked_at = $2 WHERE operator = $1 AND revoked_at IS NULL
"""
# Rights come from the operator's row, not from the session: what was changed holds at once.
_FIND: Final = """
    SELECT o.id, o.login, o.role, o.regions, o.groups, s.has_factor
      FROM admin.session s JOIN admin.operator o ON o.id = s.operator
     WHERE s.token_hash = $1 AND s.revoked_at IS NULL AND s.expires_at > $2 AND NOT o.is_disabled
"""


class SessionStore:
    """Who is behind a token."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def find(self, token: str) -> Caller | None:
        """Return the operator of a session that is valid now; raises StoreUnavailable."""
        now = datetime.fromtimestamp(self._clock.now_ms() / 1_000, UTC)
        rows = await self._pool.read(_FIND, token_hash(token), now)
        if not rows:
            return None
        [(number, login, role, regions, groups, has_factor)] = rows
        scope = Scope(frozenset(regions), frozenset(groups))
        return Caller(number, login, Role(role), scope, has_factor)
