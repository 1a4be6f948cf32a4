"""Kill rounds as a table: a row for each kind of strike, and when a run is sound."""

from typing import Any

import pytest

from loadtests.chaos_report import chaos_lines, chaos_rows, is_sound
from loadtests.figures import fill


def a_round(strike: str = "kill -9 Kafka", **changes: Any) -> dict[str, Any]:
    return {
        "strike": strike, "kills": 1, "unanswered": 200, "booked": 9, "answered_later": 9,
        "healthy_s": 1.0, "served_s": 2.0, "counts": True, "batches": 40, "entries_asked_for": 3,
        "problems": [],
    } | changes  # fmt: skip


def a_result(*rounds: dict[str, Any], verified: str = "clean") -> dict[str, Any]:
    return {
        "kills": 2, "seconds": 120.0, "belief": {"approved": 1_000}, "rounds": list(rounds),
        "ledger_verify": [verified], "date": "2026-11-25", "versions": {"kafka": "4.1.1"},
        "machine": {
            "cpu": "some", "cores": 2, "memory_gb": 8, "kernel": "6", "filesystem": "ext4",
        },
        "plan": {
            "terminals": 200, "cards": 2_000, "freeze_s": 20.0, "lease_ms": 4_000,
            "answer_ms": 8_000,
        },
    }  # fmt: skip


class TestRows:
    def test_join_rounds_of_one_kind(self) -> None:
        """Ranges of what stood open, the median and the worst of what it took."""
        rows = list(chaos_rows(a_result(a_round(), a_round(booked=30, healthy_s=4.0))))

        assert [(
            "kill -9 Kafka", "2", "2", "200", "9-30", "9", "", "2.5 (max 4.0)", "2.0 (max 2.0)",
            "2 of 2",
        )] == rows  # fmt: skip

    def test_leave_out_what_does_not_count(self) -> None:
        """Nothing stood open: such a round shows nothing."""
        assert [] == list(chaos_rows(a_result(a_round(counts=False))))

    def test_show_a_broken_round_even_if_it_does_not_count(self) -> None:
        """Trouble is never left out."""
        rows = list(chaos_rows(a_result(a_round(counts=False, problems=["x"]))))

        assert "0 of 1" == rows[0][-1]

    def test_count_who_was_fenced(self) -> None:
        """Where two owners meet."""
        rows = list(chaos_rows(a_result(a_round(fenced=1), a_round(fenced=2))))

        assert "3" == rows[0][6]


class TestIsSound:
    def test_of_clean_rounds(self) -> None:
        """One that counts is enough."""
        assert is_sound(a_result(a_round()))

    @pytest.mark.parametrize(
        "result",
        [
            a_result(),
            a_result(a_round(counts=False)),
            a_result(a_round(), a_round(problems=["money is gone"])),
            a_result(a_round(), verified="row 7 was changed"),
        ],
    )
    def test_is_not_of_others(self, result: dict[str, Any]) -> None:
        """Nothing done, nothing that counts, something broken, books that do not verify."""
        assert not is_sound(result)


class TestFigures:
    def test_fill_a_page(self) -> None:
        """The table and the sentences below it."""
        page = "<!-- figures: chaos x.json -->\n<!-- /figures -->"
        filled = fill(page, lambda _: a_result(a_round()))

        assert (
            "- kafka 4.1.1\n- 200 terminals, 2,000 cards, SIGSTOP for 20 s, leases of 4 s" in filled
        )
        assert "| kill -9 Kafka | 1 | 1 | 200 | 9 |" in filled
        assert "- 2 kills in 1 rounds that count (and 0 that do not) in 2 min\n" in filled

    def test_tell_what_was_refused_by_us(self) -> None:
        """A 96 is no verdict of a rule; without one there is no such line."""
        some = list(chaos_lines(a_result(a_round(codes={"00": 9, "96": 2}), a_round())))
        none = list(chaos_lines(a_result(a_round(codes={"00": 9}))))

        assert len(some) == len(none) + 1
        assert some[2].startswith("2 of those refused heard 96")

    def test_tell_how_much_was_asked_for(self) -> None:
        """Entries that were committed and not sent."""
        assert (
            "entries of 80 batches without a gap, 6 of them after asking for them"
            == list(chaos_lines(a_result(a_round(), a_round())))[-1]
        )
