"""Percentiles and histograms of latencies."""

from array import array

from loadtests.latency import histogram, percentile, summary_ms


class TestPercentile:
    def test_takes_the_smallest_that_covers_the_share(self) -> None:
        """Of a hundred samples the 99th percentile is the 99th."""
        ordered = list(range(1, 101))

        assert (50, 99, 100) == tuple(percentile(ordered, share) for share in (0.5, 0.99, 0.999))

    def test_takes_the_only_sample(self) -> None:
        """One sample is every percentile."""
        assert 7 == percentile([7], 0.5)


class TestSummary:
    def test_is_in_milliseconds_and_needs_no_order(self) -> None:
        """Samples are microseconds in any order."""
        samples = array("I", [9_000, 1_000, 2_000])

        assert {"p50": 2.0, "p95": 9.0, "p99": 9.0, "p999": 9.0, "max": 9.0} == summary_ms(samples)

    def test_is_empty_without_samples(self) -> None:
        """Nothing measured is nothing shown."""
        assert {} == summary_ms(array("I"))


class TestHistogram:
    def test_counts_every_sample_once_at_or_below_its_bound(self) -> None:
        """Counts add up, and no bound lies under its sample by more than rounding."""
        said = histogram(array("I", [0, 1, 100, 100, 10_000_000]))

        found = {
            int(bound): int(count) for bound, count in (one.split(":") for one in said.split())
        }
        assert 5 == sum(found.values())
        assert max(found) >= 9_999_999
        assert 2 == found[min(bound for bound in found if bound >= 100)]
