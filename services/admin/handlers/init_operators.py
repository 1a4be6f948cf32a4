"""What is done on the machine itself, by who can reach the database: begin, and rescue."""

from dataclasses import replace
from typing import Final

from libs.clock import Clock
from services.admin.domain.act import Act
from services.admin.domain.operator import Operator, entity_of, new_operator, with_next_version
from services.admin.domain.password import password_problem
from services.admin.domain.refusal import Refusal, Refused
from services.admin.handlers.credentials import Passwords
from services.admin.handlers.manage_operators import invite, show_operator
from services.admin.ports import Transactions

INIT: Final = "operator.init"
RESCUE: Final = "operator.rescue"


class InitOperators:
    """The first administrator, and a way back in for one who has lost everything.

    Nobody has signed in here: the audit names no operator for it.
    """

    def __init__(self, transactions: Transactions, passwords: Passwords, clock: Clock) -> None:
        self._transactions = transactions
        self._passwords = passwords
        self._clock = clock

    async def begin(self, login: str, name: str, password: str) -> Operator | Refused:
        """Make the first operator, an administrator; refused once there is any operator."""
        wanted = new_operator(login, {"name": name, "role": "administrator"})
        if isinstance(wanted, Refused):
            return wanted
        if (problem := password_problem(password, login=login)) is not None:
            return Refused(Refusal.NOT_ALLOWED, problem)
        hashed = await self._passwords.hash(password)
        async with self._transactions.begin() as work:
            await work.operators.hold()
            act = Act(INIT, entity_of(login), show_operator(wanted))
            if await work.operators.list(after="", rows_max=1):
                refused = Refused(Refusal.EXISTS, "there are operators already")
                await work.audit.add(None, act, "refused", {"why": refused.why.name})
                return refused
            first = replace(wanted, password_hash=hashed)
            await work.operators.add(first)
            await work.audit.add(None, act, "done", {})
        return first

    async def rescue(self, login: str, reason: str) -> str | Refused:
        """Return a new one-time code for somebody whom nobody can let in any more."""
        async with self._transactions.begin() as work:
            await work.operators.hold()
            known = await work.operators.read(login)
            if known is None:
                return Refused(Refusal.UNKNOWN)
            if known.is_disabled:
                return Refused(Refusal.WRONG_STATE, "a disabled operator stays so")
            after, code = invite(known, self._clock.now_ms())
            await work.operators.write(with_next_version(after))
            await work.operators.close_sessions(after.id)
            await work.audit.add(None, Act(RESCUE, entity_of(login), {}, reason), "done", {})
        return code
