"""Which passwords may be chosen."""

import pytest

from services.admin.domain.password import LENGTH_MAX, password_problem, prepared


class TestPasswordProblem:
    @pytest.mark.parametrize(
        "password", ["sagu-dan-ikan-7", "Ombak Pasir Putih", "正しい馬電池ホチキス青い空海"]
    )
    def test_takes_long_ones_of_any_letters(self, password: str) -> None:
        """No rule of so many digits and so many signs."""
        assert None is password_problem(password, login="ani")

    @pytest.mark.parametrize(
        "password",
        [
            "short-one-7",
            "x" * (LENGTH_MAX + 1),
            "aaaabbbbaaaa",
            "Lesko-2026-sagu",
            "PassWord-sagu-ikan",
            "qwerty-uiop-sagu",
            "sagu-ani.w-ikan",
        ],
    )
    def test_refuses_what_is_guessed_first(self, password: str) -> None:
        """Too short, too long, too even, a known word, or the login; and it is not repeated."""
        problem = password_problem(password, login="ani.w")

        assert problem is not None
        assert password not in problem

    def test_is_the_same_from_every_keyboard(self) -> None:
        """A letter with an accent is one or two code points; it is the same password."""
        assert prepared("cafe\u0301") == prepared("caf\u00e9")
