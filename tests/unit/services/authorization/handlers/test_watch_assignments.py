"""Partitions that come again and again turn health red, and it recovers."""

import asyncio

from libs.fakes.clock import FixedClock
from services.authorization.handlers.watch_assignments import AssignmentWatch

ALL = frozenset(range(8))
NONE: frozenset[int] = frozenset()


class Bench:
    """A watch of slot 3 and what it said last."""

    def __init__(self) -> None:
        self.clock = FixedClock()
        self.reports: list[str | None] = []
        self.watch = AssignmentWatch(self.clock, self.reports.append, slot=3, look_ms=1)

    def deal(self, *pauses_ms: int) -> str | None:
        """Assign all after each pause; return the last report."""
        for pause_ms in pauses_ms:
            self.clock.advance(pause_ms)
            self.watch.note(ALL)
        return self.reports[-1]


class TestAssignmentWatch:
    def test_says_nothing_before_the_first(self) -> None:
        """Whoever waits for the group is not ready yet, and was announced so."""
        bench = Bench()
        bench.watch.look()

        assert [] == bench.reports

    def test_bears_three_within_a_minute(self) -> None:
        """Others that start and stop are no trouble."""
        assert None is Bench().deal(0, 2_000, 2_000)

    def test_names_the_slot_at_the_fourth(self) -> None:
        """Two of one name take all partitions from each other every two seconds."""
        said = Bench().deal(0, 2_000, 2_000, 2_000)

        assert said is not None
        assert "LESKO_AUTHORIZATION__SLOT=3" in said

    def test_bears_four_in_more_than_a_minute(self) -> None:
        """A rolling restart of many takes its time."""
        assert None is Bench().deal(0, 20_000, 20_000, 20_000)

    def test_stays_red_while_it_goes_on(self) -> None:
        """A fight that lasts for hours is red all the time."""
        bench = Bench()
        bench.deal(*[2_000] * 4)
        bench.reports.clear()
        bench.deal(*[2_000] * 100)

        assert None not in bench.reports

    async def test_recovers_without_another_assignment(self) -> None:
        """Once the other one is gone nothing is dealt out any more: time alone has to show it."""
        bench = Bench()
        was_red = bench.deal(0, 2_000, 2_000, 2_000) is not None
        running = asyncio.create_task(bench.watch.run())
        bench.clock.advance(60_000)

        async with asyncio.timeout(5):
            while bench.reports[-1] is not None:  # noqa: ASYNC110 -- a list has no event
                await asyncio.sleep(0.001)

        running.cancel()
        await asyncio.wait({running})
        assert was_red

    def test_says_when_others_have_them_all(self) -> None:
        """Also after it looked again."""
        bench = Bench()
        bench.watch.note(NONE)
        bench.watch.look()

        said = bench.reports[-1]
        assert said is not None
        assert "gives us no request partition" in said
