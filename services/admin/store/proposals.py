"""The proposals' table."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import asyncpg

from libs.clock import Clock
from libs.outcome import Fault
from libs.pg import Connection
from services.admin.domain.act import Act, canonical, content_hash
from services.admin.domain.proposal import Proposal, ProposalState

_ADD: Final = """
    INSERT INTO admin.proposal (action, entity, content, reason, document, version, hash, maker,
                                made_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING number
"""
_SELECT: Final = """
    SELECT p.number, p.action, p.entity, p.content, p.reason, p.document, p.version, p.hash,
           p.maker, m.login AS maker_login, p.made_at, p.state, coalesce(p.checker, 0) AS checker,
           coalesce(c.login, '') AS checker_login, p.decided_at, p.decision
      FROM admin.proposal p
      JOIN admin.operator m ON m.id = p.maker
      LEFT JOIN admin.operator c ON c.id = p.checker
"""
_SHOW: Final = f"{_SELECT} WHERE p.number = $1"
_READ: Final = f"{_SHOW} FOR UPDATE OF p"
_LIST: Final = f"{_SELECT} WHERE p.state = 1 OR NOT $1 ORDER BY p.number DESC LIMIT $2"
_DECIDE: Final = """
    UPDATE admin.proposal SET state = $2, checker = $3, decided_at = $4, decision = $5
     WHERE number = $1
"""


class MakerIsChecker(Fault):
    """The database refused that a person decides what they proposed."""


class ProposalTable:
    """Proposals within a transaction."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def add(self, act: Act, *, version: int, maker: int) -> int:
        """Keep an act for a second person; return its number."""
        number: int = await self._connection.fetchval(
            _ADD, act.action, act.entity, canonical(act.content), act.reason, act.document, version,
            content_hash(act, version=version), maker, self._now(),
        )  # fmt: skip
        return number

    async def read(self, number: int) -> Proposal | None:
        """Return a proposal, locked until the transaction ends."""
        row = await self._connection.fetchrow(_READ, number)
        return None if row is None else _proposal(row)

    async def show(self, number: int) -> Proposal | None:
        """Return a proposal as it stands, without waiting for who decides it."""
        row = await self._connection.fetchrow(_SHOW, number)
        return None if row is None else _proposal(row)

    async def list(self, *, is_open: bool, rows_max: int) -> Sequence[Proposal]:
        """Return the latest proposals, newest first; with ``is_open`` only those that wait."""
        rows = await self._connection.fetch(_LIST, is_open, rows_max)
        return [_proposal(row) for row in rows]

    async def decide(
        self, number: int, state: ProposalState, *, checker: int, decision: str
    ) -> None:
        """Decide an open one. Raises MakerIsChecker where the database refuses it."""
        by = None if state is ProposalState.VOID else checker
        try:
            await self._connection.execute(_DECIDE, number, int(state), by, self._now(), decision)
        except asyncpg.CheckViolationError as refused:
            if refused.constraint_name != "maker_is_not_checker":
                raise
            message = "whoever made a proposal may not decide it"
            raise MakerIsChecker(message) from None

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now_ms() / 1_000, UTC)


def _proposal(row: asyncpg.Record) -> Proposal:
    decided = row["decided_at"]
    return Proposal(
        number=row["number"],
        act=Act(
            row["action"], row["entity"], json.loads(row["content"]), row["reason"],
            row["document"],
        ),
        version=row["version"],
        hash=row["hash"],
        maker=row["maker"],
        maker_login=row["maker_login"],
        made_ms=int(row["made_at"].timestamp() * 1_000),
        state=ProposalState(row["state"]),
        checker=row["checker"],
        checker_login=row["checker_login"],
        decided_ms=0 if decided is None else int(decided.timestamp() * 1_000),
        decision=row["decision"],
    )  # fmt: skip
