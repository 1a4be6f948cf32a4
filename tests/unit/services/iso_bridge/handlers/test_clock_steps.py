"""The edge's host clock is stepped by ten minutes and back while terminals wait."""

import pytest

from tests.unit.services.iso_bridge.edge import (
    NOON_MS,
    PURCHASE,
    Edge,
    FakeCaller,
    approved,
    changed,
)

TEN_MINUTES_MS = 600_000
ANSWER_MS = 8_000
STEPS = pytest.mark.parametrize("step_ms", [TEN_MINUTES_MS, -TEN_MINUTES_MS])


@STEPS
def test_an_answer_in_time_is_given(step_ms: int) -> None:
    """Time for an answer is measured by the clock that cannot jump."""
    edge, caller = Edge(), FakeCaller()
    edge.ask("0200", PURCHASE, caller)
    edge.clock.advance(ANSWER_MS // 2)
    edge.clock.jump_to(NOON_MS + step_ms)

    edge.reply(0, approved())

    assert 1 == len(caller.sent)


@STEPS
def test_an_answer_that_is_late_is_not_given(step_ms: int) -> None:
    """A step back gives nobody ten minutes more."""
    edge, caller = Edge(), FakeCaller()
    edge.ask("0200", PURCHASE, caller)
    edge.clock.advance(ANSWER_MS + 1)
    edge.clock.jump_to(NOON_MS + step_ms)

    edge.reply(0, approved())

    assert [] == caller.sent


@STEPS
def test_a_repeat_across_a_step_has_the_same_key(step_ms: int) -> None:
    """A terminal's own date makes the key: another minute of ours makes no other purchase."""
    edge = Edge()
    edge.ask("0200", PURCHASE)
    edge.reply(0, approved())
    edge.clock.jump_to(NOON_MS + step_ms)
    edge.ask("0201", changed(PURCHASE))

    first, again = edge.requests()
    assert first.reference.key == again.reference.key
