"""Ready means that nothing expected is missing and nothing reported is wrong."""

import asyncio

from libs.clock import SystemClock
from libs.fakes.clock import FixedClock
from libs.observe import Health, LoopWatch


class TestHealth:
    def test_is_ready_when_nothing_is_expected(self) -> None:
        """A process without checks has nothing to wait for."""
        assert Health().is_ready

    def test_waits_for_what_is_expected(self) -> None:
        """An announced check is a problem until it is reported."""
        health = Health()
        health.expect("database")
        before = health.problems()

        health.report("database", None)

        assert {"database": "not reported yet"} == before
        assert {} == health.problems()
        assert health.is_ready

    def test_shows_problems_and_their_end(self) -> None:
        """A problem makes the process not ready until the check is good again; order is by name."""
        health = Health()
        health.report("b", "no broker")
        health.report("a", "no database")
        during = list(health.problems().items())
        was_ready = health.is_ready

        health.report("a", None)
        health.report("b", None)

        assert [("a", "no database"), ("b", "no broker")] == during
        assert not was_ready
        assert health.is_ready

    def test_keeps_a_report_that_came_before_it_was_expected(self) -> None:
        """The order of starting does not matter."""
        health = Health()
        health.report("database", None)

        health.expect("database")

        assert health.is_ready

    def test_tells_of_every_check_whether_it_fails(self) -> None:
        """Good ones too, and those that nobody has looked at yet; order is by name."""
        health = Health()
        health.report("c", "no broker")
        health.expect("b")
        health.report("a", None)

        assert [("a", False), ("b", True), ("c", True)] == list(health.failing().items())


class TestLoopWatch:
    def test_reports_a_loop_that_is_too_late(self) -> None:
        """Up to the limit is well, one millisecond more is a problem, and it passes."""
        health = Health()
        lags: list[float] = []
        watch = LoopWatch(health, FixedClock(), note=lags.append, lag_ms_max=2_000)

        seen = []
        for lag_ms in (2_000, 2_001, 3):
            watch.judge(lag_ms)
            seen.append(health.is_ready)

        assert [True, False, True] == seen
        assert [2.0, 2.001, 0.003] == lags

    async def test_measures_a_blocked_loop(self) -> None:
        """Work that does not let others run shows as lag."""
        lags: list[float] = []
        clock = SystemClock()
        watch = LoopWatch(Health(), clock, note=lags.append, interval_ms=1)
        running = asyncio.create_task(watch.run())
        await asyncio.sleep(0)

        until_ms = clock.monotonic_ms() + 60
        while clock.monotonic_ms() < until_ms:
            pass
        await asyncio.sleep(0.01)
        running.cancel()

        assert max(lags) >= 0.05
