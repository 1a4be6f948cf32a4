"""What counts as met of an attack: a quarter or 5 ms, everybody answered, memory flat."""

from typing import Any

import pytest

from loadtests.hostile_report import attack_lines, attack_rows, is_met, is_sound


def a_side(p99: float, **more: int) -> dict[str, Any]:
    """Return what good terminals met in one half of a pair."""
    counts = {"unanswered": 0, "wrong": 0, "unsettled": 0, **more}
    return {"latency_ms": {"p50": 1.0, "p99": p99}, **counts}


def an_attack(*p99: tuple[float, float], after_mb: int = 100, **more: int) -> dict[str, Any]:
    """Return an attack by its pairs of p99."""
    pairs = [
        {"quiet": a_side(quiet), "attacked": a_side(loud, **more), "did": {"opened": 1_000},
         "resident_kb": 110 * 1024}
        for quiet, loud in p99
    ]  # fmt: skip
    return {"kind": "flood", "pairs": pairs, "resident_kb": [100 * 1024, after_mb * 1024]}


class TestIsMet:
    @pytest.mark.parametrize(
        ("quiet", "loud", "expected"),
        [(3, 8, True), (3, 8.1, False), (40, 50, True), (40, 50.1, False), (3, 2, True)],
    )
    def test_allows_a_quarter_or_five_milliseconds(
        self,
        quiet: float,
        loud: float,
        expected: bool,  # noqa: FBT001 -- a table
    ) -> None:
        """Whichever is more."""
        assert is_met(an_attack((quiet, loud))) is expected

    def test_looks_at_the_middle_of_the_pairs(self) -> None:
        """One bad pair of five is the machine's, three are ours."""
        good, bad = (3.0, 4.0), (3.0, 90.0)

        assert is_met(an_attack(good, bad, good, bad, good))
        assert not is_met(an_attack(bad, good, bad, good, bad))

    def test_is_not_met_where_somebody_was_not_answered_or_memory_grew(self) -> None:
        """Latencies alone say nothing of who heard nothing."""
        assert is_met(an_attack((3.0, 4.0), after_mb=120))
        assert not is_met(an_attack((3.0, 4.0), after_mb=121))
        assert not is_met(an_attack((3.0, 4.0), unanswered=1))


class TestTable:
    def test_shows_medians_and_what_was_done(self) -> None:
        """One row and one line an attack."""
        result = {"attacks": [an_attack((3.0, 4.0), (2.0, 6.0), (4.0, 5.0))]}

        assert list(attack_rows(result)) == [
            ("flood", "3", "1.0", "1.0", "3.0", "5.0", "+1.0", "0", "100", "110", "100", "yes")
        ]
        assert list(attack_lines(result)) == ["flood: 1,000 opened"]
        assert is_sound(result)

    @pytest.mark.parametrize("trouble", ["wrong", "unsettled"])
    def test_is_not_sound_with_a_wrong_answer(self, trouble: str) -> None:
        """However fast it was."""
        assert not is_sound({"attacks": [an_attack((3.0, 3.0), **{trouble: 1})]})
