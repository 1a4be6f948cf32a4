"""The journal on libs/observe: one log line a money message, counters for everything."""

from typing import Final

import structlog

from libs.observe import Metrics, MoneyLog, place_of
from services.iso_bridge.ports import MoneyLine

_MS: Final = 1_000


class ObserveJournal:
    """Cheap enough for every message: lines are collected and written once a turn of the loop."""

    def __init__(self, metrics: Metrics, money: MoneyLog) -> None:
        self._metrics = metrics
        self._money = money
        self._log = structlog.get_logger("iso_bridge")

    def read(self, operation: str) -> None:
        """Count one message that could be read."""
        self._metrics.bridge_messages.add((operation,))

    def money(self, line: MoneyLine) -> None:
        """Write the one line of a money message, and count its answer."""
        if line.de39:
            self._metrics.bridge_answers.add((line.operation, line.de39))
            self._metrics.bridge_answer_seconds.observe(line.took_ms / _MS)
        self._money.line(
            line.at_ms,
            correlation=line.correlation_id,
            operation=line.operation,
            terminal=line.terminal,
            outlet=line.outlet,
            stan=line.stan,
            rrn=line.rrn,
            card=line.card,
            amount_minor=line.amount_minor,
            de39=line.de39,
            took_ms=line.took_ms,
        )

    def network(self, action: str, de39: str) -> None:
        """Count one answered network message."""
        self._metrics.bridge_answers.add((action, de39))

    def dropped(self, reason: str) -> None:
        """Count one message that nobody can answer."""
        self._metrics.bridge_dropped.add((reason,))

    def silent(self, reason: str) -> None:
        """Count one message that gets no answer."""
        self._metrics.bridge_silent.add((reason,))

    def flooding(self, terminal: str) -> None:
        """Write that a terminal sends more than its rate."""
        self._log.warning(
            "terminal_floods",
            terminal=terminal,
            what_to_do="look at this terminal, or raise LESKO_ISO_BRIDGE__TERMINAL_PER_SECOND",
        )

    def closed(self, reason: str) -> None:
        """Count one socket that we closed or refused."""
        self._metrics.bridge_closed.add((reason,))

    def failed(self, what: str, fault: Exception) -> None:
        """Write class and place of a fault of our own; its text may hold the message."""
        self._metrics.bridge_dropped.add(("fault",))
        self._log.error(
            "message_failed", step=what, fault=type(fault).__name__, place=place_of(fault)
        )
