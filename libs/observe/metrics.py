"""Every figure this product shows, by name; a new one is added here and nowhere else."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from libs.observe.figures import FastHistogram, LoopFigures, Tally
from libs.observe.health import Health

_ANSWER_BOUNDS_S: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 4, 8)
_COMMIT_BOUNDS_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2)
_BATCH_BOUNDS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)


class Metrics:
    """The closed set, on a registry of its own; the hot ones are Tally and FastHistogram."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._of_process()
        self._of_loops()
        self._of_bridge()
        self._of_authorization()
        self._of_ledger()

    def loop_figures(self, topic: str) -> LoopFigures:
        """Return what the batch loop of a topic counts with."""
        return LoopFigures(
            settled=self.loop_settled.labels(topic),
            retried=self.loop_retried.labels(topic),
            dead=self.loop_dead.labels(topic),
        )

    def _of_process(self) -> None:
        self.event_loop_lag = self._gauge("event_loop_lag_seconds", "How late the loop was")

    def _of_loops(self) -> None:
        self.loop_settled = self._counter("records_settled", "Records handled", "topic")
        self.loop_retried = self._counter("batches_retried", "Tries that failed", "topic")
        self.loop_dead = self._counter("records_dead", "Records set aside", "topic")

    def _of_bridge(self) -> None:
        self.bridge_connections = self._gauge("bridge_connections", "Open terminal sockets")
        self.bridge_in_flight = self._gauge("bridge_in_flight", "Messages that wait for an answer")
        self.bridge_messages = self._tally("bridge_messages", "Messages read, by type", "operation")
        self.bridge_answers = self._tally(
            "bridge_answers", "Answers sent, by type and DE39", "operation", "de39"
        )
        self.bridge_silent = self._tally(
            "bridge_silent", "Messages left without an answer: deadline, overload, gone", "reason"
        )
        self.bridge_dropped = self._tally(
            "bridge_dropped", "Input that was no message we may answer", "reason"
        )
        self.bridge_closed = self._tally("bridge_closed", "Sockets that we closed", "reason")
        self.bridge_late_answers = self._counter(
            "bridge_late_answers", "Answers of the ledger that nobody waited for any more"
        )
        self.bridge_answer_seconds = FastHistogram(
            "lesko_bridge_answer_seconds",
            "From the last byte of a money message to its answer",
            _ANSWER_BOUNDS_S,
            self.registry,
        )

    def _of_authorization(self) -> None:
        self.authorization_verdicts = self._tally(
            "authorization_verdicts",
            "Commands made, by verdict (none: the ledger decides)",
            "verdict",
        )
        self.authorization_cards_read = self._counter(
            "authorization_cards_read", "Cards read from the database"
        )

    def _of_ledger(self) -> None:
        self.ledger_outcomes = self._tally("ledger_outcomes", "Commands answered", "outcome")
        self.ledger_replays = self._counter("ledger_replays", "Repeats answered from their row")
        self.ledger_rows = self._counter("ledger_rows", "Transfer rows stored")
        self.ledger_partitions_held = self._gauge("ledger_partitions_held", "Leases held")
        self.ledger_days_ahead = self._gauge("ledger_days_ahead", "Day partitions after today")
        self.ledger_rows_in_default = self._gauge(
            "ledger_rows_in_default", "Rows outside every day partition; must be 0"
        )
        self.ledger_fence_lost = self._counter("ledger_fence_lost", "Partitions lost to another")
        self.ledger_commit_seconds = FastHistogram(
            "lesko_ledger_commit_seconds", "One batch's statement", _COMMIT_BOUNDS_S, self.registry
        )
        self.ledger_batch_records = FastHistogram(
            "lesko_ledger_batch_records", "Records in a batch", _BATCH_BOUNDS, self.registry
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"lesko_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"lesko_{name}", text, registry=self.registry)

    def _tally(self, name: str, text: str, *labels: str) -> Tally:
        return Tally(f"lesko_{name}", text, labels, self.registry)


class HealthFigures(Collector):
    """Shows which checks of a Health fail, as they stand when Prometheus asks; not yet registered.

    The label is the name of a check, of which there are few; the reason is at /readyz and in logs.
    """

    def __init__(self, health: Health) -> None:
        self._health = health

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name the figure, so that a registry refuses a second Health with a ValueError."""
        yield GaugeMetricFamily(
            "lesko_check_failing", "1 where a check of readiness fails, else 0", labels=("check",)
        )

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give Prometheus one number for each check that was announced or reported."""
        for family in self.describe():
            for check, is_failing in self._health.failing().items():
                family.add_metric((check,), float(is_failing))
            yield family
