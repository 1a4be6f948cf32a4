"""How a loop tells people of its troubles: classes and places of faults, never their texts.

A fault's text or object may hold what a record held; only its class and line of code go out.
"""

from collections.abc import Callable

import structlog

from libs.bus.halves import Batch
from libs.bus.port import Record
from libs.observe.trouble import place_of
from libs.outcome import Fault


class Setbacks:
    """Reports to health and log; remembers the partitions that stay red."""

    def __init__(self, report: Callable[[str | None], None]) -> None:
        self._report = report
        self._lasting: list[str] = []
        self._log = structlog.get_logger("libs.bus")

    def over(self) -> None:
        """Say that work goes on; partitions left alone stay a problem."""
        self._report("; ".join(self._lasting) or None)

    def trying_again(self, fault: Exception, tries: int, part: Batch | None = None) -> None:
        """Say that the same batch comes again."""
        name = type(fault).__name__
        what = "no records can be taken" if part is None else f"a batch of {_topic(part)} waits"
        self._report("; ".join([*self._lasting, f"{what}: {name}, tried {tries} times"]))
        self._log.warning("batch_retried", fault=name, at=place_of(fault), tries=tries)

    def halved(self, part: Batch, fault: Exception) -> None:
        """Say that a batch hides a record that cannot be handled."""
        self._log.warning(
            "batch_halved",
            topic=_topic(part),
            records=sum(map(len, part.values())),
            fault=type(fault).__name__,
            at=place_of(fault),
        )

    def died(self, record: Record, fault: Exception) -> None:
        """Say which record could not be handled."""
        self._log.error("record_dead", **_where(record, fault))

    def left_alone(self, record: Record, fault: Exception) -> None:
        """Say that a partition stands still in front of a record."""
        where = f"partition {record.partition} of {record.topic}"
        name = type(fault).__name__
        self._lasting.append(f"{where} stands still before offset {record.offset}: {name}")
        self._log.error("partition_left_alone", **_where(record, fault))
        self.over()

    def stopped(self, fault: Fault) -> None:
        """Say that the loop ends; the problem stays."""
        name = type(fault).__name__
        self._report("; ".join([*self._lasting, f"stopped: {name}"]))
        self._log.error("loop_stopped", fault=name, at=place_of(fault))

    def ended(self, fault: BaseException | None) -> None:
        """Say that the batch in hand was not finished when the loop was stopped."""
        name = "TimeLimit" if fault is None else type(fault).__name__
        self._log.warning("batch_left_unfinished", fault=name)


def _topic(part: Batch) -> str:
    return next(iter(part.values()))[0].topic


def _where(record: Record, fault: Exception) -> dict[str, str | int]:
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "fault": type(fault).__name__,
        "at": place_of(fault),
    }
