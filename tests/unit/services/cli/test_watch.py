"""What a process says of its surroundings."""

import pytest

from services.cli.watch import SKEW_MS_MAX, skew_problem


@pytest.mark.parametrize("skew_ms", [0, SKEW_MS_MAX, -SKEW_MS_MAX])
def test_bears_a_small_difference_of_clocks(skew_ms: int) -> None:
    """A second is no reason to stop."""
    assert skew_problem(skew_ms) is None


@pytest.mark.parametrize(
    ("skew_ms", "words"), [(600_000, "600.0 s ahead of"), (-SKEW_MS_MAX - 1, "1.0 s behind")]
)
def test_says_how_far_a_clock_is_off(skew_ms: int, words: str) -> None:
    """An operator reads which way and by how much."""
    problem = skew_problem(skew_ms)

    assert problem is not None
    assert words in problem
