"""Open a session for who knows the password and, where there is one, the code of the factor."""

from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Final, NamedTuple

from libs.clock import Clock
from services.admin.domain.act import Act, Json
from services.admin.domain.lock_out import after_failure, after_success, is_locked
from services.admin.domain.operator import Operator, caller_of, entity_of, safe_login
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.session import TOKEN_BYTES, Session, token_hash
from services.admin.handlers.credentials import Factors, Passwords
from services.admin.ports import Transactions, Work

SIGN_IN: Final = "session.open"
_COUNTED: Final = frozenset({"PASSWORD", "CODE", "CODE_USED"})
"""What brings a lock nearer. What is refused whatever was typed does not."""


class SignedIn(NamedTuple):
    """A new session; the token is shown here and never again."""

    token: str
    expires_ms: int
    operator: Operator
    has_factor: bool

    def __repr__(self) -> str:
        return f"SignedIn({self.operator.login})"


class _Checked(NamedTuple):
    """What was found out about a sign-in; ``why`` empty: it is right."""

    why: str = ""
    step: int = 0  # Of the code that was shown.


class SignIn:
    """Every refusal is the same one, after about the same time; the audit knows which it was."""

    def __init__(
        self,
        transactions: Transactions,
        passwords: Passwords,
        factors: Factors,
        clock: Clock,
        *,
        session_ms: int,
    ) -> None:
        self._transactions = transactions
        self._passwords = passwords
        self._factors = factors
        self._clock = clock
        self._session_ms = session_ms

    async def __call__(self, login: str, password: str, code: str) -> SignedIn | Refused:
        """Sign in, or count that somebody was wrong; raises the store's faults, TooManySignIns.

        No connection is held while the password is checked. What was tried in parallel is
        counted one by one, and once that locks, the right password is refused as well.
        """
        async with self._transactions.begin() as work:
            known = await work.operators.find(login)
        hashed = known.password_hash if known is not None and known.can_sign_in else ""
        is_right = await self._passwords.is_right(hashed, password)
        async with self._transactions.begin() as work:
            operator = await work.operators.read(login)
            is_same = operator is not None and operator.password_hash == hashed
            checked = self._check(operator, code, is_right=is_right and is_same)
            if operator is None or checked.why:
                return await self._refuse(work, login, operator, checked.why)
            return await self._open(work, operator, checked.step)

    def _check(self, operator: Operator | None, code: str, *, is_right: bool) -> _Checked:
        if operator is None:
            return _Checked("UNKNOWN")
        if not operator.can_sign_in:
            return _Checked("DISABLED" if operator.is_disabled else "NOT_ENROLLED")
        if is_locked(operator, self._clock.now_ms()):
            return _Checked("LOCKED")
        if not is_right:
            return _Checked("PASSWORD")
        if not operator.factor_sealed:
            return _Checked()
        step = self._factors.step_of(operator.factor_sealed, operator.login, code)
        if step is None:
            return _Checked("CODE")
        # A code that was seen over somebody's shoulder is of no use any more.
        return _Checked("CODE_USED") if step <= operator.factor_step else _Checked(step=step)

    async def _refuse(self, work: Work, login: str, operator: Operator | None, why: str) -> Refused:
        more: dict[str, Json] = {"why": why}
        if operator is not None and why in _COUNTED:
            counted = after_failure(operator, self._clock.now_ms())
            await work.operators.write(counted)
            more |= _lock(operator, counted)
        name = safe_login(login) if operator is None else operator.login
        await work.audit.add(None, Act(SIGN_IN, entity_of(name), {}), "refused", more)
        return Refused(Refusal.SIGN_IN_FAILED)

    async def _open(self, work: Work, operator: Operator, step: int) -> SignedIn:
        now_ms = self._clock.now_ms()
        token, expires_ms = token_urlsafe(TOKEN_BYTES), now_ms + self._session_ms
        has_factor = step > 0
        session = Session(token_hash(token), operator.id, now_ms, expires_ms, has_factor)
        await work.operators.write(after_success(operator, step=step))
        await work.operators.open_session(session)
        await work.audit.add(
            caller_of(operator, has_factor=has_factor),
            Act(SIGN_IN, entity_of(operator.login), {}),
            "done",
            {"has_factor": has_factor, "expires_ms": expires_ms},
        )
        return SignedIn(token, expires_ms, operator, has_factor)


def _lock(before: Operator, after: Operator) -> Mapping[str, Json]:
    """Return until when this failure locked, if it did."""
    is_new = after.locked_until_ms != before.locked_until_ms
    return {"locked_until_ms": after.locked_until_ms} if is_new else {}
