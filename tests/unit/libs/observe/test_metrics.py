"""Figures come out as Prometheus reads them."""

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from libs.observe import FastHistogram, Health, HealthFigures, Metrics, Tally, metrics


def text_of(registry: CollectorRegistry) -> str:
    return generate_latest(registry).decode()


def samples_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


class TestTally:
    def test_sums_by_labels(self) -> None:
        """Each set of label values has its own number."""
        registry = CollectorRegistry()
        tally = Tally("lesko_answers", "x", ("operation", "de39"), registry)

        tally.add(("purchase", "00"))
        tally.add(("purchase", "00"), 4)
        tally.add(("purchase", "51"))

        text = text_of(registry)
        assert 'lesko_answers_total{de39="00",operation="purchase"} 5.0' in text
        assert 'lesko_answers_total{de39="51",operation="purchase"} 1.0' in text


class TestFastHistogram:
    def test_counts_up_to_and_with_each_bound(self) -> None:
        """Buckets are running sums; a value on a bound counts in it; the last is without bound."""
        registry = CollectorRegistry()
        histogram = FastHistogram("lesko_took_seconds", "x", (0.5, 1), registry)

        for value in (0.25, 0.5, 0.75, 2.5):
            histogram.observe(value)

        text = text_of(registry)
        for line in (
            'bucket{le="0.5"} 2.0',
            'bucket{le="1.0"} 3.0',
            'bucket{le="+Inf"} 4.0',
            "count 4.0",
            "sum 4.0",
        ):
            assert f"lesko_took_seconds_{line}\n" in text


class TestHealthFigures:
    def test_shows_every_check_as_it_stands_when_asked(self) -> None:
        """1 while it fails, 0 while it does not, and a check of later is there too."""
        health, registry = Health(), CollectorRegistry()
        registry.register(HealthFigures(health))
        health.expect("bus")
        before = text_of(registry)

        health.report("bus", None)
        health.report("card_ledger.leases", "held by another")

        after = text_of(registry)
        assert ['lesko_check_failing{check="bus"} 1.0'] == samples_of(before)
        assert [
            'lesko_check_failing{check="bus"} 0.0',
            'lesko_check_failing{check="card_ledger.leases"} 1.0',
        ] == samples_of(after)

    def test_keeps_the_reason_to_itself(self) -> None:
        """A sentence as a label would be a new series for each number in it."""
        health, registry = Health(), CollectorRegistry()
        registry.register(HealthFigures(health))

        health.report("database", "connection 17 refused")

        assert "connection" not in text_of(registry)

    def test_is_one_of_a_kind_on_a_registry(self) -> None:
        """Two would show a check twice, which Prometheus does not take."""
        registry = CollectorRegistry()
        registry.register(HealthFigures(Health()))

        with pytest.raises(ValueError, match="lesko_check_failing"):
            registry.register(HealthFigures(Health()))


class TestMetrics:
    def test_keeps_to_its_own_registry(self) -> None:
        """Two sets live side by side and do not see each other's numbers."""
        one, other = Metrics(), Metrics()

        one.loop_figures("a.b.v1").settled.inc(7)

        line = 'lesko_records_settled_total{topic="a.b.v1"} 7.0'
        assert line in text_of(one.registry)
        assert line not in text_of(other.registry)

    def test_counts_a_loop_by_topic(self) -> None:
        """Settled, retried and dead are three numbers."""
        one = Metrics()
        figures = one.loop_figures("a.b.v1")

        figures.retried.inc()
        figures.dead.inc(2)

        text = text_of(one.registry)
        assert 'lesko_batches_retried_total{topic="a.b.v1"} 1.0' in text
        assert 'lesko_records_dead_total{topic="a.b.v1"} 2.0' in text

    def test_names_everything_after_the_product(self) -> None:
        """Own figures start with lesko_; the rest is of the process and of Python."""
        names = re.findall(r"^# TYPE (\S+)", text_of(Metrics().registry), re.MULTILINE)

        assert "lesko_bridge_answer_seconds" in names
        assert {"lesko", "python", "process"} == {name.split("_")[0] for name in names}

    def test_is_the_only_place_that_names_figures(self) -> None:
        """No other module of the product makes a Prometheus object."""
        root = Path(metrics.__file__).parents[2]
        makers = re.compile(
            r"\b(Counter|Gauge|Histogram|Summary|Tally|FastHistogram)\($", re.MULTILINE
        )
        found = [
            path.relative_to(root).as_posix()
            for part in ("libs", "services")
            for path in (root / part).rglob("*.py")
            if "prometheus_client" in (text := path.read_text(encoding="utf-8"))
            and makers.search(text)
        ]

        assert ["libs/observe/metrics.py"] == found
