"""Lock-out, one wrong sign-in at a time."""

import pytest

from services.admin.domain.lock_out import (
    FIRST_LOCK_MS,
    LOCK_MS_MAX,
    TRIES,
    after_failure,
    after_success,
    is_locked,
)
from services.admin.domain.operator import Operator
from services.admin.domain.role import Role

NOW_MS = 1_795_600_000_000


def after(failures: int) -> Operator:
    """An operator who was wrong so often, all at the same moment."""
    operator = Operator(id=1, login="ani", name="Ani", role=Role.OPERATOR)
    for _ in range(failures):
        operator = after_failure(operator, NOW_MS)
    return operator


class TestLockOut:
    def test_begins_with_the_fifth_wrong_sign_in(self) -> None:
        """Four leave the door open, the fifth shuts it for a quarter of an hour, to the ms."""
        assert not is_locked(after(TRIES - 1), NOW_MS)
        assert is_locked(after(TRIES), NOW_MS + FIRST_LOCK_MS - 1)
        assert not is_locked(after(TRIES), NOW_MS + FIRST_LOCK_MS)

    @pytest.mark.parametrize(("round_", "factor"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16)])
    def test_doubles_each_time(self, round_: int, factor: int) -> None:
        """Every further five wrong ones lock for twice as long, four hours at most."""
        expected = min(FIRST_LOCK_MS * factor, LOCK_MS_MAX)

        assert NOW_MS + expected == after(TRIES * round_).locked_until_ms

    def test_is_never_longer_than_four_hours(self) -> None:
        """However long somebody goes on."""
        assert NOW_MS + LOCK_MS_MAX == after(TRIES * 200).locked_until_ms

    def test_is_forgotten_by_a_right_sign_in_alone(self) -> None:
        """The count goes on behind a lock, and is gone after a success."""
        assert TRIES + 1 == after(TRIES + 1).failed
        assert (0, 0, 7) == (
            after_success(after(6), step=7).failed,
            after_success(after(6), step=7).locked_until_ms,
            after_success(after(6), step=7).factor_step,
        )

    def test_never_lets_a_used_code_in_again(self) -> None:
        """A sign-in without a code leaves the last used step where it is."""
        assert 7 == after_success(after_success(after(0), step=7), step=0).factor_step
