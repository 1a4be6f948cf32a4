"""Tables are built from results alone: medians of rounds, ratios within a round."""

import copy
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from loadtests.figures import fill
from loadtests.report import levels_of, rate_rows
from loadtests.run import is_sound, result_file


def a_level(rate: float, **changes: Any) -> dict[str, Any]:
    level = {
        "name": "8 in flight", "in_flight": 8, "offered_per_s": 0, "purchases_per_s": rate,
        "latency_ms": {"p50": 1.5, "p95": 2.0, "p99": 3.0, "p999": 4.0, "max": 150.0},
        "codes": {"00": 10, "62": 1}, "others": {}, "unanswered": 0, "late": 0, "wrong": 0,
        "unsettled": 0, "problems": [], "busy": 0.5, "others_cores": 0.1,
        "cpu_us": {"switch": 100.0, "postgres": None, "driver": 10.0},
    }  # fmt: skip
    return level | changes


def a_round(rate: float, tps: float | None, **changes: Any) -> dict[str, Any]:
    return {
        "pgbench": tps and {"tps": tps, "raw": ""},
        "levels": [a_level(rate, **changes)],
        "books": {
            "is_clean": True, "sum": 0, "accounts": 9, "keys": 11, "contradictions": {},
            "examples": [],
        },
        "ledger_verify": {"is_clean": True, "said": ""},
    }  # fmt: skip


def a_result(*rounds: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "embedded", "date": "2026-11-24", "quick": False, "rounds": list(rounds),
        "plan": {"pgbench_scale": 50, "cards": 100_000, "outlets": 2_000, "seconds": 7.0},
        "machine": {
            "cpu": "CPU", "cores": 2, "memory_gb": 16, "kernel": "6.1", "filesystem": "ext4",
        },
        "postgres": {"server_version": "15.1"}, "versions": {"python": "3.11"},
    }  # fmt: skip


class TestLevels:
    def test_takes_the_median_of_ratios_within_rounds(self) -> None:
        """A slow machine slows both: each rate is compared with its own round's pgbench."""
        result = a_result(a_round(100, 100), a_round(300, 150), a_round(900, 300))

        assert 2.0 == levels_of(result)[0].ratio()

    def test_has_no_ratio_without_pgbench(self) -> None:
        """No yardstick, no ratio."""
        assert levels_of(a_result(a_round(100, None)))[0].ratio() is None


class TestRateRows:
    def test_shows_median_and_range(self) -> None:
        """A rate stands with its smallest and largest round, the unknown cost as such."""
        rows = list(rate_rows(a_result(a_round(100, 50), a_round(300, 50), a_round(200, 50))))

        assert ("pgbench, scale 50, 8 clients", "50 (50-50)", "1.00") == rows[0][:3]
        assert (
            "8 in flight", "200 (100-300)", "4.00", "1.5", "2.0", "3.0", "4.0", "150",
            "100", "?", "10", "110", "50%", "0.10",
        ) == rows[1]  # fmt: skip


class TestFill:
    @pytest.mark.parametrize("kind", ["rates", "answers", "books", "setting"])
    def test_builds_what_stands_between_the_marks(self, kind: str) -> None:
        """The old table goes, the text around stays, and building again changes nothing."""
        text = f"before\n<!-- figures: {kind} a.json -->\nold\n<!-- /figures -->\nafter\n"

        built = fill(text, lambda name: {"a.json": a_result(a_round(100, 50))}[name])

        assert "old" not in built
        assert built.startswith(f"before\n<!-- figures: {kind} a.json -->\n")
        assert built.endswith("<!-- /figures -->\nafter\n")
        assert built == fill(built, lambda _: a_result(a_round(100, 50)))

    def test_refuses_a_kind_that_does_not_exist(self) -> None:
        """A misspelt mark is no table."""
        with pytest.raises(KeyError):
            fill("<!-- figures: rate a.json -->\n<!-- /figures -->", lambda _: a_result())


class TestResult:
    def test_is_never_written_over(self, tmp_path: Path) -> None:
        """A second result of a day has another name."""
        first = result_file(tmp_path, date(2026, 11, 24), "embedded")
        first.write_text("")

        second = result_file(tmp_path, date(2026, 11, 24), "embedded")

        assert ("2026-11-24-embedded.json", "2026-11-24-embedded-2.json") == (
            first.name, second.name,
        )  # fmt: skip

    def test_is_sound_only_if_every_check_held(self) -> None:
        """Wrong or unsettled answers, unlike books or a broken chain fail the run."""
        good = a_round(100, 50)
        unlike, unchained = copy.deepcopy(good), copy.deepcopy(good)
        unlike["books"]["is_clean"] = unchained["ledger_verify"]["is_clean"] = False

        assert is_sound(a_result(good))
        assert not is_sound(a_result(good, unlike))
        assert not is_sound(a_result(unchained))
        assert not is_sound(a_result(a_round(100, 50, wrong=1)))
        assert not is_sound(a_result(a_round(100, 50, unsettled=1)))
