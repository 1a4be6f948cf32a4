"""Starts beside their budgets: medians over rounds, judged by the tighter budget that they meet."""

from typing import Any

import pytest

from loadtests.figures import fill
from loadtests.takeover_make_run import FIRST
from loadtests.takeover_report import is_sound, start_rows
from loadtests.takeover_trials import FROZEN, KILLED, RESTART


def a_round(*trials: tuple[str, float], **changes: Any) -> dict[str, Any]:
    return {
        "trials": [
            {"name": name, "ready_ms": ms + 7, "approved_ms": ms, "shown_ms": ms} | changes
            for name, ms in trials
        ],
        "books": {
            "is_clean": True, "sum": 0, "accounts": 9, "keys": 11, "contradictions": {},
            "examples": [],
        },
        "ledger_verify": {"is_clean": True, "said": ""},
    }  # fmt: skip


def a_result(*rounds: dict[str, Any]) -> dict[str, Any]:
    return {"name": "takeover", "date": "2026-11-24", "quick": False, "rounds": list(rounds)}


def met(trial: str, *approved_ms: float) -> str:
    rows = start_rows(a_result(*(a_round((trial, ms)) for ms in approved_ms)))
    return next(iter(rows))[-1]


class TestStartRows:
    def test_show_median_and_range_in_seconds(self) -> None:
        """Three restarts: the middle one counts, the others stand beside it."""
        rows = list(start_rows(a_result(*(a_round((RESTART, ms)) for ms in (900, 3_000, 1_500)))))

        assert (
            RESTART, "its start", "first approved purchase", "1.50", "0.90-3.00", "2", "1", "must",
        ) == rows[0]  # fmt: skip
        assert (RESTART, "1.51", "") == (rows[1][0], rows[1][3], rows[1][-1])

    @pytest.mark.parametrize(
        ("trial", "ms", "word"),
        [
            (RESTART, 1_000, "aim"), (RESTART, 1_001, "must"), (RESTART, 2_001, "no"),
            (KILLED, 4_000, "aim"), (KILLED, 6_000, "must"), (KILLED, 6_001, "no"),
            (FROZEN, 6_001, "no"),
        ],
    )  # fmt: skip
    def test_judge_at_the_edge_of_each_budget(self, trial: str, ms: float, word: str) -> None:
        """What takes exactly its budget meets it; a millisecond more does not."""
        assert word == met(trial, ms)

    def test_are_judged_by_the_median(self) -> None:
        """One slow round of three does not break a promise, two do."""
        assert ("must", "no") == (
            met(RESTART, 1_500, 1_500, 9_000),
            met(RESTART, 1_500, 9_000, 9_000),
        )

    def test_leave_out_what_was_not_tried(self) -> None:
        """Without make run there is no row of it."""
        both = a_result(a_round((KILLED, 100), (FIRST, 100)))

        assert [KILLED, FIRST, FIRST] == [row[0] for row in start_rows(both)]
        assert [KILLED] == [row[0] for row in start_rows(a_result(a_round((KILLED, 100))))]


class TestIsSound:
    def test_asks_for_right_answers_and_agreeing_books(self) -> None:
        """A wrong answer, an unsettled request or unlike books fail the run; slowness does not."""
        unlike = a_round((RESTART, 1.0))
        unlike["books"]["is_clean"] = False

        assert is_sound(a_result(a_round((RESTART, 90_000.0))))
        assert not is_sound(a_result(a_round((RESTART, 1.0), wrong=1)))
        assert not is_sound(a_result(a_round((RESTART, 1.0), unsettled=1)))
        assert not is_sound(a_result(unlike))


def test_its_table_is_built_from_a_result() -> None:
    """The kind ``starts`` puts the rows under their headings."""
    text = "<!-- figures: starts a.json -->\nold\n<!-- /figures -->\n"

    built = fill(text, lambda _: a_result(a_round((KILLED, 1_234))))

    assert f"| {KILLED} | the kill | first approved purchase | 1.23 |" in built
    assert "old" not in built
