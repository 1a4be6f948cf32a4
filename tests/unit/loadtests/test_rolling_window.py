"""Seconds around a restart: what is slow, what is silent, what was refused and by whom."""

from loadtests.rolling_terminals import Sample
from loadtests.rolling_window import cost_of

BEGAN_NS = 1_000_000_000_000
SECOND_NS = 1_000_000_000
Samples = list[Sample]


def a_second(at: int, *took_ms: int | None, code: str = "00", is_deserved: bool = True) -> Samples:
    """Return purchases due one after the other in the second ``at`` from the restart."""
    begins_ns = BEGAN_NS + at * SECOND_NS
    step_ns = SECOND_NS // len(took_ms)
    return [
        Sample(begins_ns + n * step_ns, None if ms is None else ms * 1000, code, is_deserved)
        for n, ms in enumerate(took_ms)
    ]


def flat(*seconds: Samples) -> Samples:
    """Put seconds in one list."""
    return [one for second in seconds for one in second]


class TestCostOf:
    def test_a_second_is_slow_above_three_times_the_p99_before(self) -> None:
        """p99 before is 10 ms: 30 ms is not slow, 31 ms is."""
        samples = flat(
            a_second(-2, *[4] * 50), a_second(-1, *[4] * 48, 10, 10),
            a_second(0, 30, 30), a_second(1, 31, 4), a_second(2, 4),
        )  # fmt: skip

        found = cost_of(samples, BEGAN_NS, before_s=2, after_s=3)

        assert (4.0, 10.0) == (found["p50_before_ms"], found["p99_before_ms"])
        assert ([1], [], 31.0) == (found["slow"], found["slow_before"], found["worst_p99_ms"])

    def test_one_that_heard_nothing_has_waited_ten_seconds(self) -> None:
        """A silence is never a missing sample: it makes its second slow."""
        samples = flat(a_second(-1, *[4] * 100), a_second(0, 4, None), a_second(1, 4))

        found = cost_of(samples, BEGAN_NS, before_s=1, after_s=2)

        assert (1, [0], 10_000.0) == (found["silent"], found["slow"], found["worst_p99_ms"])
        assert [0, 1, 0] == [one["silent"] for one in found["seconds"]]

    def test_what_was_slow_before_stands_apart(self) -> None:
        """One slow second of three hundred purchases is what the machine does by itself."""
        samples = flat(a_second(-2, *[4] * 299), a_second(-1, 100), a_second(0, 4))

        found = cost_of(samples, BEGAN_NS, before_s=2, after_s=1)

        assert ([], [-1]) == (found["slow"], found["slow_before"])

    def test_counts_refusals_that_no_card_deserved(self) -> None:
        """A blocked card's 62 is no refusal of ours; 96 and 68 are, by code."""
        samples = flat(
            a_second(-1, 4, 4),
            a_second(0, 4, code="62"),
            a_second(0, 4, 4, code="96", is_deserved=False),
            a_second(1, 4, code="68", is_deserved=False),
        )

        found = cost_of(samples, BEGAN_NS, before_s=1, after_s=2)

        assert {"68": 1, "96": 2} == found["refused_by_us"]
        assert [0, 2, 1] == [one["refused_by_us"] for one in found["seconds"]]

    def test_looks_at_its_own_seconds_alone(self) -> None:
        """The restart before and the one after have samples of their own."""
        samples = flat(a_second(-2, 900), a_second(-1, 4), a_second(0, 5), a_second(1, None))

        found = cost_of(samples, BEGAN_NS, before_s=1, after_s=1)

        assert (2, 0, 4.0) == (found["purchases"], found["silent"], found["p99_before_ms"])
        assert [-1, 0] == [one["at"] for one in found["seconds"]]
