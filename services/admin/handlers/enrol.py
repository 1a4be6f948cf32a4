"""Take over a login with its one-time code: an own password, and for approvers a second factor."""

from dataclasses import replace
from typing import Final, NamedTuple

from libs.clock import Clock
from services.admin.domain.act import Act
from services.admin.domain.enrolment import enrolled, may_enrol
from services.admin.domain.factor import Factor
from services.admin.domain.operator import Operator, caller_of, entity_of, safe_login
from services.admin.domain.password import password_problem
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Role
from services.admin.handlers.credentials import Factors, Passwords
from services.admin.ports import Transactions, Work

ENROL: Final = "operator.enrol"


class Enrolment(NamedTuple):
    """What somebody shows and wants."""

    login: str
    code: str  # The one-time code.
    password: str  # The new one.
    factor_code: str = ""  # Six digits of the factor that was offered; empty: offer one.
    wants_factor: bool = False  # Also where the role does not need one.

    def __repr__(self) -> str:
        return "Enrolment(***)"


class Offered(NamedTuple):
    """A factor to put into an authenticator; a code of it must be shown to finish."""

    factor: Factor

    def __repr__(self) -> str:
        return "Offered(***)"


class Enrolled(NamedTuple):
    """Done; the one-time code is used up."""

    login: str
    has_factor: bool


class _Ready(NamedTuple):
    """All is right but the password, which is still to be hashed."""

    factor: bytes = b""
    step: int = 0


class Enrol:
    """Nothing is changed until everything is right; an offered factor replaces the one before."""

    def __init__(
        self, transactions: Transactions, passwords: Passwords, factors: Factors, clock: Clock
    ) -> None:
        self._transactions = transactions
        self._passwords = passwords
        self._factors = factors
        self._clock = clock

    async def __call__(self, wanted: Enrolment) -> Enrolled | Offered | Refused:
        """Enrol, or offer the factor to enrol with; raises the store's faults, TooManySignIns."""
        async with self._transactions.begin() as work:
            found = await self._prepare(work, wanted)
            if isinstance(found, Refused):
                await _note_refused(work, wanted, found)
        if not isinstance(found, _Ready):
            return found
        hashed = await self._passwords.hash(wanted.password)
        async with self._transactions.begin() as work:
            return await self._finish(work, wanted, found, hashed)

    async def _prepare(self, work: Work, wanted: Enrolment) -> _Ready | Offered | Refused:
        operator = await work.operators.read(wanted.login)
        if operator is None or not may_enrol(operator, wanted.code, self._clock.now_ms()):
            return Refused(Refusal.SIGN_IN_FAILED)
        if (problem := password_problem(wanted.password, login=wanted.login)) is not None:
            return Refused(Refusal.NOT_ALLOWED, problem)
        if not _needs_factor(operator, wanted):
            return _Ready()
        if wanted.factor_code:
            return self._confirm(operator, wanted.factor_code)
        factor = self._factors.make(operator.login)
        await work.operators.write(replace(operator, factor_offered=factor.sealed))
        return Offered(factor)

    def _confirm(self, operator: Operator, code: str) -> _Ready | Refused:
        offered = operator.factor_offered
        step = self._factors.step_of(offered, operator.login, code) if offered else None
        if step is None:
            detail = "the six digits are not those of now; look at the clock of the authenticator"
            return Refused(Refusal.NOT_ALLOWED, detail)
        return _Ready(offered, step)

    async def _finish(
        self, work: Work, wanted: Enrolment, ready: _Ready, hashed: str
    ) -> Enrolled | Refused:
        operator = await work.operators.read(wanted.login)
        is_still = (
            operator is not None
            and may_enrol(operator, wanted.code, self._clock.now_ms())
            and (not ready.factor or ready.factor == operator.factor_offered)
            and (bool(ready.factor) or not _needs_factor(operator, wanted))
        )
        if operator is None or not is_still:
            refused = Refused(Refusal.SIGN_IN_FAILED)
            await _note_refused(work, wanted, refused)
            return refused
        done = enrolled(operator, password_hash=hashed, factor=ready.factor, step=ready.step)
        await work.operators.write(done)
        caller = caller_of(done, has_factor=bool(ready.factor))
        act = Act(ENROL, entity_of(done.login), {})
        await work.audit.add(caller, act, "done", {"has_factor": caller.has_factor})
        return Enrolled(done.login, caller.has_factor)


def _needs_factor(operator: Operator, wanted: Enrolment) -> bool:
    return operator.role is Role.APPROVER or wanted.wants_factor


async def _note_refused(work: Work, wanted: Enrolment, refused: Refused) -> None:
    """Write down who was tried; a login that nobody has only in part."""
    known = await work.operators.find(wanted.login)
    name = safe_login(wanted.login) if known is None else known.login
    more = {"why": refused.why.name, "detail": refused.detail}
    await work.audit.add(None, Act(ENROL, entity_of(name), {}), "refused", {**more})
