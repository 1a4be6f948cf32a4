"""Arrivals at a rate: repeatable, at the right rate, none early."""

from array import array
from itertools import pairwise
from time import perf_counter_ns

from loadtests.arrivals import follow, poisson_arrivals


class TestPoissonArrivals:
    def test_comes_at_the_rate(self) -> None:
        """A hundred seconds at 50 a second give about 5,000, in order, inside the time."""
        found = poisson_arrivals("a", 50, 100)

        assert abs(len(found) - 5_000) < 300
        assert list(found) == sorted(found)
        assert found[-1] < 100 * 10**9

    def test_is_no_fixed_beat(self) -> None:
        """Gaps vary as much as they are long, which tells Poisson from a metronome."""
        found = poisson_arrivals("a", 50, 100)
        gaps = [(after - before) / 1e9 for before, after in pairwise(found)]
        mean = sum(gaps) / len(gaps)
        variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)

        assert 0.9 < variance**0.5 / mean < 1.1

    def test_is_the_same_for_the_same_seed(self) -> None:
        """A run can be repeated."""
        assert poisson_arrivals("a", 50, 1) == poisson_arrivals("a", 50, 1)
        assert poisson_arrivals("a", 50, 1) != poisson_arrivals("b", 50, 1)


class TestFollow:
    async def test_starts_every_arrival_in_order_and_none_early(self) -> None:
        """Each start is told when it was due, and that moment has come."""
        origin_ns, begun = perf_counter_ns(), list[tuple[int, int]]()
        arrivals = array("q", range(0, 20_000_000, 100_000))

        await follow(
            arrivals, lambda due_ns: begun.append((due_ns, perf_counter_ns())), origin_ns=origin_ns
        )

        assert [origin_ns + at for at in arrivals] == [due for due, _ in begun]
        assert all(due <= now for due, now in begun)

    async def test_is_done_at_once_without_arrivals(self) -> None:
        """Nothing to start is no reason to wait."""
        begun: list[int] = []

        await follow(array("q"), begun.append, origin_ns=perf_counter_ns())

        assert [] == begun
