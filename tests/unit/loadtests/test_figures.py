"""Tables are built from results alone: medians of rounds, ratios within a round."""

import copy
from datetime import date
from pathlib import Path

import pytest

from loadtests.figures import fill
from loadtests.program import result_file
from loadtests.report import book_lines, headings, levels_of, of_switch, rate_rows, switches_of
from loadtests.run import is_sound
from tests.unit.loadtests.results import a_result, a_round, both

KAFKA_CPU_US = {
    "iso_bridge": 90.0, "authorization": 50.0, "card_ledger": 80.0, "admin": 1.0,
    "postgres": 40.0, "kafka": 60.0, "driver": 10.0,
}  # fmt: skip


class TestLevels:
    def test_takes_the_median_of_ratios_within_rounds(self) -> None:
        """A slow machine slows both: each rate is compared with its own round's pgbench."""
        result = a_result(a_round(100, 100), a_round(300, 150), a_round(900, 300))

        assert 2.0 == levels_of(result)[0].ratio()

    def test_has_no_ratio_without_pgbench(self) -> None:
        """No yardstick, no ratio."""
        assert levels_of(a_result(a_round(100, None)))[0].ratio() is None


class TestSwitches:
    def test_reads_the_first_results_as_embedded_ones(self) -> None:
        """What was recorded before there was Kafka stays readable."""
        old = a_result(a_round(100, 50))

        assert ["embedded"] == switches_of(old)
        assert old["rounds"] == of_switch(old, "embedded")["rounds"]

    def test_takes_one_switch_out_of_a_result(self) -> None:
        """Each round's yardstick goes with it."""
        result = both(a_round(100, 50), a_round(40, 50))

        assert ["embedded", "kafka"] == switches_of(result)
        assert 0.8 == levels_of(of_switch(result, "kafka"))[0].ratio()

    def test_refuses_a_switch_that_was_not_measured(self) -> None:
        """A table of nothing would look like a table."""
        with pytest.raises(KeyError):
            of_switch(a_result(a_round(100, 50)), "kafka")


class TestRateRows:
    def test_shows_the_cost_of_every_process(self) -> None:
        """One column a process, in the order of the way, and their sum."""
        result = of_switch(both(a_round(9, 9), a_round(9, 9, cpu_us=KAFKA_CPU_US)), "kafka")
        row = dict(zip(headings(result), list(rate_rows(result))[1], strict=True))

        assert [
            ("CPU µs: bridge", "90"), ("auth.", "50"), ("ledger", "80"), ("admin", "1"),
            ("PG", "40"), ("broker", "60"), ("driver", "10"), ("sum", "331"),
        ] == list(row.items())[8:16]  # fmt: skip

    def test_shows_median_and_range(self) -> None:
        """A rate stands with its smallest and largest round, the unknown cost as such."""
        rows = list(rate_rows(a_result(a_round(100, 50), a_round(300, 50), a_round(200, 50))))

        assert ("pgbench, scale 50, 8 clients", "50 (50-50)", "1.00") == rows[0][:3]
        assert (
            "8 in flight", "200 (100-300)", "4.00", "1.5", "2.0", "3.0", "4.0", "150",
            "100", "?", "10", "110", "50%", "0.10",
        ) == rows[1]  # fmt: skip


class TestBookLines:
    def test_tells_of_the_entries_where_there_are_any(self) -> None:
        """On Kafka a gap in the entries is no clean round."""
        result = of_switch(both(a_round(9, 9), a_round(9, 9)), "kafka")
        entries = result["rounds"][0]["entries"]

        clean = list(book_lines(result))
        entries |= {"is_clean": False, "contradictions": {"batches are missing": 2}}
        gap = list(book_lines(result))

        assert clean[0].endswith(", 7 batches of entries published without a gap")
        assert ["round 1: NOT CLEAN: none", "entries: batches are missing: 2"] == gap


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

    @pytest.mark.parametrize("kind", ["rates", "answers", "books", "targets"])
    def test_builds_the_table_of_the_switch_that_is_named(self, kind: str) -> None:
        """A result of both switches has each table twice."""
        result = both(a_round(100, 50), a_round(40, 50, name="512 in flight"))
        texts = [
            fill(f"<!-- figures: {kind} a.json {name} -->\n<!-- /figures -->", lambda _: result)
            for name in ("embedded", "kafka")
        ]

        assert texts[0].replace("embedded", "") != texts[1].replace("kafka", "")

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

    def test_is_sound_only_if_both_switches_are(self) -> None:
        """A gap in the entries fails the run as well."""
        good, wrong = (
            both(a_round(9, 9), a_round(9, 9)),
            both(a_round(9, 9), a_round(9, 9, wrong=1)),
        )
        gap = copy.deepcopy(good)
        gap["rounds"][0]["kafka"]["entries"]["is_clean"] = False

        assert [True, False, False] == [is_sound(each) for each in (good, wrong, gap)]
