"""Limits by booking day and month."""

from datetime import date

import pytest

from libs.clock import day_number
from libs.outcome import Outcome
from services.card_ledger.domain.command import NO_LIMITS, Limits
from services.card_ledger.domain.kinds import TransferKind
from services.card_ledger.domain.limit import (
    NO_USAGE,
    give_back,
    month_of,
    month_start,
    refuse_over_limit,
    replay_usage,
    spend,
    usage_on,
)

LAST = day_number(date(2026, 11, 30))
FIRST = day_number(date(2026, 12, 1))


class TestRefuseOverLimit:
    @pytest.mark.parametrize(
        ("limits", "expected"),
        [
            (NO_LIMITS, None),
            (Limits(200, 2, 200, 2), None),
            (Limits(199, 2, 200, 2), Outcome.AMOUNT_LIMIT),
            (Limits(200, 1, 200, 2), Outcome.COUNT_LIMIT),
            (Limits(200, 2, 199, 2), Outcome.AMOUNT_LIMIT),
            (Limits(200, 2, 200, 1), Outcome.COUNT_LIMIT),
            (Limits(0, 1, 199, 0), Outcome.AMOUNT_LIMIT),
        ],
    )
    def test_holds_each_limit_at_its_edge(self, limits: Limits, expected: Outcome | None) -> None:
        """The last unit fits, one more does not; any amount limit stands before any count."""
        usage = spend(usage_on(NO_USAGE, LAST, month_of(LAST)), 100)

        assert expected is refuse_over_limit(usage, 100, limits)


class TestUsage:
    def test_forgets_yesterday_and_keeps_the_month(self) -> None:
        """At midnight the day starts again, the month goes on until it ends."""
        usage = spend(usage_on(NO_USAGE, LAST - 1, month_of(LAST - 1)), 100)
        same_month = usage_on(usage, LAST, month_of(LAST))
        next_month = usage_on(same_month, FIRST, month_of(FIRST))

        assert (0, 0, 100, 1) == (
            same_month.day_amount,
            same_month.day_count,
            same_month.month_amount,
            same_month.month_count,
        )
        assert (0, 0) == (next_month.month_amount, next_month.month_count)

    def test_gives_back_to_a_month_that_is_open(self) -> None:
        """Yesterday's purchase frees the month, not today; last month's frees nothing."""
        usage = spend(usage_on(NO_USAGE, LAST, month_of(LAST)), 100)
        earlier = give_back(usage, 40, LAST - 1, month_of(LAST - 1))

        assert (100, 60) == (earlier.day_amount, earlier.month_amount)
        assert usage == give_back(usage, 40, LAST - 40, month_of(LAST - 40))

    def test_replays_rows_as_they_were_counted(self) -> None:
        """Two legs are one purchase; its reversal takes both out again."""
        usage = NO_USAGE
        for leg, amount in ((0, 70), (1, 30)):
            usage = replay_usage(
                usage,
                kind=TransferKind.PURCHASE,
                leg=leg,
                amount=amount,
                booked_on=LAST,
                today=LAST,
            )
        assert (100, 1, 100, 1) == (usage[1], usage[2], usage[4], usage[5])
        for leg, amount in ((100, 70), (101, 30)):
            usage = replay_usage(
                usage,
                kind=TransferKind.REVERSAL,
                leg=leg,
                amount=amount,
                booked_on=LAST,
                today=LAST,
            )
        assert (0, 0, 0, 0) == (usage[1], usage[2], usage[4], usage[5])

    def test_starts_a_month_on_its_first_day(self) -> None:
        """Also in February of a leap year."""
        assert day_number(date(2028, 2, 1)) == month_start(day_number(date(2028, 2, 29)))
