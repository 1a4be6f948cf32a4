"""The machine's clocks behind the port."""

import time

from libs.clock import Clock, SystemClock


def test_reads_the_walls_clock_in_milliseconds() -> None:
    """The instant lies between two readings around it."""
    clock: Clock = SystemClock()
    before = time.time_ns() // 1_000_000

    now = clock.now_ms()

    assert before <= now <= time.time_ns() // 1_000_000


def test_never_goes_back() -> None:
    """Later readings of the steady clock are never smaller."""
    clock = SystemClock()
    readings = [clock.monotonic_ms() for _ in range(1000)]

    assert sorted(readings) == readings
