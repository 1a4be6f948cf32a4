"""How often a person may be wrong before nobody can try for a while."""

from dataclasses import replace
from typing import Final

from services.admin.domain.operator import Operator

TRIES: Final = 5
FIRST_LOCK_MS: Final = 15 * 60_000
LOCK_MS_MAX: Final = 4 * 3_600_000
"""Long enough against guessing, short enough that a stranger cannot keep a person out for days."""


def is_locked(operator: Operator, now_ms: int) -> bool:
    """Whether every sign-in is refused now, the right one too."""
    return now_ms < operator.locked_until_ms


def after_failure(operator: Operator, now_ms: int) -> Operator:
    """Count a wrong sign-in; every fifth one locks, each time twice as long as the time before.

    Only a right sign-in brings the count back: waiting for the end of a lock does not.
    """
    failed = operator.failed + 1
    if failed % TRIES:
        return replace(operator, failed=failed)
    doublings = min(failed // TRIES - 1, 10)
    lock_ms = min(FIRST_LOCK_MS << doublings, LOCK_MS_MAX)
    return replace(operator, failed=failed, locked_until_ms=now_ms + lock_ms)


def after_success(operator: Operator, *, step: int) -> Operator:
    """Forget wrong sign-ins, and note the step of the code that was used; 0: there was none."""
    return replace(
        operator, failed=0, locked_until_ms=0, factor_step=max(step, operator.factor_step)
    )
