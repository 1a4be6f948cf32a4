"""Show who the operators are and whether they can sign in; nothing of what they sign in with."""

from collections.abc import Sequence

from libs.clock import Clock
from services.admin.domain.act import Json
from services.admin.domain.lock_out import is_locked
from services.admin.domain.operator import Operator
from services.admin.handlers.manage_operators import show_operator
from services.admin.ports import Transactions


class ReadOperators:
    """Operators as they stand."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions = transactions
        self._clock = clock

    async def page(self, *, after: str, rows_max: int) -> Sequence[dict[str, Json]]:
        """Return operators behind a login, in order; disabled ones too."""
        async with self._transactions.begin() as work:
            found = await work.operators.list(after=after, rows_max=rows_max)
        return [{**show_operator(one), **self._standing(one)} for one in found]

    def _standing(self, one: Operator) -> dict[str, Json]:
        now_ms = self._clock.now_ms()
        if one.is_disabled:
            state = "disabled"
        elif not one.password_hash:
            state = "to enrol" if now_ms < one.enrol_until_ms else "code expired"
        else:
            state = "locked" if is_locked(one, now_ms) else "active"
        return {"state": state, "has_factor": bool(one.factor_sealed)}
