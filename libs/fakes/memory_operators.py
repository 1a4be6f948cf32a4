"""Operators and their sessions in memory, as a transaction sees them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from libs.clock import Clock
from services.admin.domain.operator import Operator
from services.admin.domain.role import Role
from services.admin.domain.session import Session


@dataclass(slots=True)
class OperatorRows:
    """What is committed, or will be."""

    operators: dict[str, Operator] = field(default_factory=dict)
    sessions: dict[bytes, Session] = field(default_factory=dict)
    revoked_ms: dict[bytes, int] = field(default_factory=dict)

    def copy(self) -> "OperatorRows":
        """Return rows that may be changed or thrown away."""
        return OperatorRows(dict(self.operators), dict(self.sessions), dict(self.revoked_ms))


class MemoryOperators:
    """The tables within a transaction; ``has_approver`` None: as the rows say."""

    def __init__(self, rows: OperatorRows, clock: Clock, *, has_approver: bool | None) -> None:
        self._rows = rows
        self._clock = clock
        self._has_approver = has_approver
        self._is_held = False

    async def has_approver(self) -> bool:
        """Whether anybody can approve now."""
        if self._has_approver is not None:
            return self._has_approver
        return await self.others_everywhere(Role.APPROVER, but=0) > 0

    async def hold(self) -> None:
        """Note it: rights are never changed without."""
        self._is_held = True

    async def read(self, login: str) -> Operator | None:
        """Return an operator."""
        return self._rows.operators.get(login)

    async def find(self, login: str) -> Operator | None:
        """Return an operator."""
        return self._rows.operators.get(login)

    async def list(self, *, after: str, rows_max: int) -> Sequence[Operator]:
        """Return operators behind a login, in order."""
        behind = sorted(login for login in self._rows.operators if login > after)
        return [self._rows.operators[login] for login in behind[:rows_max]]

    async def add(self, operator: Operator) -> int:
        """Add an operator whose login is free, and return the new id."""
        assert self._is_held
        assert operator.login not in self._rows.operators
        number = len(self._rows.operators) + 1
        self._rows.operators[operator.login] = replace(operator, id=number)
        return number

    async def write(self, operator: Operator) -> None:
        """Write all of an operator that was read."""
        known = self._rows.operators[operator.login]
        assert operator.id == known.id
        assert self._is_held or operator.version == known.version
        self._rows.operators[operator.login] = operator

    async def others_everywhere(self, role: Role, *, but: int) -> int:
        """Count those of a role who can act everywhere, without this one."""
        known = self._rows.operators.values()
        return sum(one.role is role and one.can_act_everywhere and one.id != but for one in known)

    async def open_session(self, session: Session) -> None:
        """Keep a session."""
        self._rows.sessions[session.token_hash] = session

    async def close_session(self, token_hash: bytes) -> None:
        """Revoke a session from now on."""
        self._rows.revoked_ms.setdefault(token_hash, self._clock.now_ms())

    async def close_sessions(self, operator: int) -> None:
        """Revoke all sessions of an operator from now on."""
        for session in self._rows.sessions.values():
            if session.operator == operator:
                await self.close_session(session.token_hash)
