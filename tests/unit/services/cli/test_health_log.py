"""Why a process is not ready stands in its log: once for each reason."""

import pytest
import structlog

from libs.observe import Health
from services.cli.health_log import HealthLog


@pytest.fixture
def health() -> Health:
    return Health()


def look(log: HealthLog, times: int = 1) -> list[tuple[str, str, str]]:
    """Let it look and return what it wrote: event, check, reason."""
    with structlog.testing.capture_logs() as lines:
        for _ in range(times):
            log.look()
    return [(line["event"], line["check"], line.get("reason", "")) for line in lines]


class TestHealthLog:
    def test_says_a_lasting_reason_once(self, health: Health) -> None:
        """Not at each try, also when the reason counts the tries."""
        log = HealthLog(health)
        health.report("bus", "nobody answers, tried 1 times")
        first = look(log, 3)
        health.report("bus", "nobody answers, tried 2 times")

        assert [("waiting", "bus", "nobody answers, tried 1 times")] == first
        assert [] == look(log, 3)

    def test_says_another_reason_and_the_end(self, health: Health) -> None:
        """What is waited for changes, and back, which is no news; then nothing is."""
        log = HealthLog(health)
        health.report("bus", "nobody answers")
        look(log, 2)
        health.report("bus", "topics are missing")
        second = look(log, 2)
        health.report("bus", "nobody answers")
        again = look(log, 2)
        health.report("bus", None)

        assert ([("waiting", "bus", "topics are missing")], []) == (second, again)
        assert [("waited", "bus", "")] == look(log, 2)

    def test_passes_over_what_lasts_but_a_moment(self, health: Health) -> None:
        """A check that is bad at one look only is no news."""
        log = HealthLog(health)
        health.report("bus", "nobody answers")
        assert [] == look(log)
        health.report("bus", None)

        assert [] == look(log, 2)

    def test_passes_over_checks_that_nobody_has_looked_at(self, health: Health) -> None:
        """They wait for others, which say why."""
        health.expect("tables")

        assert [] == look(HealthLog(health), 3)
