"""Clocks that differ are proven by a stamp outside of the time of a send, and only by that."""

import pytest

from libs.bus.kafka.skew import FORGOTTEN_MS, Skew
from libs.fakes.clock import FixedClock

NOW_MS = 1_800_000_000_000


@pytest.mark.parametrize(
    ("appended_ms", "skew_ms"),
    [
        (NOW_MS - 1, 1),
        (NOW_MS, 0),
        (NOW_MS + 250, 0),
        (NOW_MS + 251, -1),
        (NOW_MS - 600_000, 600_000),
        (NOW_MS + 600_250, -600_000),
    ],
)
def test_is_what_no_delay_explains(appended_ms: int, skew_ms: int) -> None:
    """Between sending and hearing any stamp is right, however long that took."""
    clock = FixedClock(NOW_MS)
    skew = Skew(clock)
    clock.advance(250)

    skew.note(sent_ms=NOW_MS, appended_ms=appended_ms)

    assert skew_ms == skew.ms


def test_is_over_with_the_next_good_send() -> None:
    """A clock that was set right is right."""
    skew = Skew(FixedClock(NOW_MS))
    skew.note(sent_ms=NOW_MS, appended_ms=NOW_MS - 5_000)

    skew.note(sent_ms=NOW_MS, appended_ms=NOW_MS)

    assert 0 == skew.ms


def test_is_forgotten_without_sends() -> None:
    """What was seen a minute ago may have been mended since; without a send nobody knows."""
    clock = FixedClock(NOW_MS)
    skew = Skew(clock)
    skew.note(sent_ms=NOW_MS, appended_ms=NOW_MS - 5_000)
    clock.advance(FORGOTTEN_MS - 1)
    assert 5_000 == skew.ms

    clock.advance(1)

    assert 0 == skew.ms


def test_knows_nothing_at_first() -> None:
    """Before any send nothing is proven."""
    assert 0 == Skew(FixedClock(NOW_MS)).ms
