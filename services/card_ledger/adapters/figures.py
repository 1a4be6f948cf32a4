"""The ledger's figures for Prometheus; once a batch, not once a command."""

from collections.abc import Sequence

from libs.observe import Metrics
from services.card_ledger.domain.answer import Answer


class MetricsFigures:
    """Counts what a batch did."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def posted(self, answers: Sequence[Answer], *, rows: int, took_ms: int) -> None:
        """Count a committed batch."""
        metrics = self._metrics
        replays = 0
        for answer in answers:
            metrics.ledger_outcomes.add((answer.outcome.name,))
            replays += answer.is_replay
        metrics.ledger_rows.inc(rows)
        metrics.ledger_replays.inc(replays)
        metrics.ledger_batch_records.observe(len(answers))
        metrics.ledger_commit_seconds.observe(took_ms / 1000)

    def lost(self, partitions: int) -> None:
        """Count partitions that another process took."""
        self._metrics.ledger_fence_lost.inc(partitions)
