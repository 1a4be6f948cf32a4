"""Expressions are taken apart rightly, so that what names nothing is found."""

import pytest

from tests.contract.deploy.promql import Matcher, read_query, shown_series


@pytest.mark.parametrize(
    ("text", "series", "grouped_by"),
    [
        ("up", ["up"], set[str]()),
        ("sum by (a, b) (rate(x_total[5m]))", ["x_total"], {"a", "b"}),
        ("sum(rate(x_total[$__rate_interval])) by (a)", ["x_total"], {"a"}),
        ("histogram_quantile(0.99, sum by (le) (rate(x_bucket[1h])))", ["x_bucket"], {"le"}),
        ("time() - max without (a) (x) > bool 3", ["x"], {"a"}),
        ('max by (d) (a == 1 or label_replace(b == 0, "d", "(e)", "", ""))', ["a", "b"], {"d"}),
        ('a{b="c"} / on (b) d', ["a", "d"], {"b"}),
    ],
)
def test_finds_series_and_groups(text: str, series: list[str], grouped_by: set[str]) -> None:
    """Functions, words and durations are none."""
    query = read_query(text)

    assert (series, grouped_by, []) == (query.series, query.grouped_by, query.unknown)


def test_finds_conditions() -> None:
    """Label, operator and value of each."""
    query = read_query('sum(x{a="1", b=~"2|3"})')

    assert query.matchers == [Matcher("a", "=", "1"), Matcher("b", "=~", "2|3")]


@pytest.mark.parametrize("text", ["sumn(x)", "sum(x", 'x{a="1"', "x{a}", "x § y"])
def test_names_what_is_no_promql(text: str) -> None:
    """A misspelt function, an open bracket, a condition without a value."""
    assert read_query(text).unknown


def test_knows_series_as_they_are_shown() -> None:
    """Counters end with _total, histograms come in three, labels are those of the sources."""
    series = shown_series()

    assert series["lesko_bridge_answers_total"] == {"operation", "de39"}
    assert series["lesko_bridge_answer_seconds_bucket"] == {"le"}
    assert series["lesko_check_failing"] == {"check"}
    assert series["lesko_records_dead_total"] == {"topic"}
    assert {"lesko_ledger_commit_seconds_count", "process_cpu_seconds_total"} <= set(series)
    assert "lesko_bridge_answers" not in series
