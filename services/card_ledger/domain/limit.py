"""What a wallet has spent today and this month. Limits count by booking day."""

from datetime import timedelta
from typing import NamedTuple

from libs.clock import EPOCH
from libs.outcome import Outcome
from services.card_ledger.domain.command import Limits
from services.card_ledger.domain.kinds import REVERSAL_LEG, TransferKind

_COUNTED = {TransferKind.PURCHASE.value: 1, TransferKind.REVERSAL.value: -1}


class Usage(NamedTuple):
    """Approved purchases of one wallet; minor units, what was reversed is taken out again."""

    day: int
    day_amount: int
    day_count: int
    month: int
    month_amount: int
    month_count: int


NO_USAGE = Usage(0, 0, 0, 0, 0, 0)


def month_of(day: int) -> int:
    """Return the calendar month of a day number as one number that grows."""
    date = EPOCH + timedelta(days=day)
    return date.year * 12 + date.month


def month_start(day: int) -> int:
    """Return the day number of the first day of a day's month."""
    return day - (EPOCH + timedelta(days=day)).day + 1


def usage_on(usage: Usage, day: int, month: int) -> Usage:
    """Return the usage as it stands on a day: yesterday's and last month's counts are gone."""
    if usage.day == day:
        return usage
    if usage.month == month:
        return Usage(day, 0, 0, month, usage.month_amount, usage.month_count)
    return Usage(day, 0, 0, month, 0, 0)


def refuse_over_limit(usage: Usage, amount: int, limits: Limits) -> Outcome | None:
    """Return 61 before 65, or None; ``usage`` must stand on today."""
    if limits.day_amount and usage.day_amount + amount > limits.day_amount:
        return Outcome.AMOUNT_LIMIT
    if limits.month_amount and usage.month_amount + amount > limits.month_amount:
        return Outcome.AMOUNT_LIMIT
    if limits.day_count and usage.day_count + 1 > limits.day_count:
        return Outcome.COUNT_LIMIT
    if limits.month_count and usage.month_count + 1 > limits.month_count:
        return Outcome.COUNT_LIMIT
    return None


def spend(usage: Usage, amount: int) -> Usage:
    """Count an approved purchase; ``usage`` must stand on today."""
    return Usage(
        usage.day,
        usage.day_amount + amount,
        usage.day_count + 1,
        usage.month,
        usage.month_amount + amount,
        usage.month_count + 1,
    )


def give_back(usage: Usage, amount: int, booked_on: int, month: int) -> Usage:
    """Take a reversed purchase out of its own booking day and month, if they are still open."""
    if usage.month != month:
        return usage
    same_day = usage.day == booked_on
    return Usage(
        usage.day,
        usage.day_amount - amount if same_day else usage.day_amount,
        usage.day_count - 1 if same_day else usage.day_count,
        usage.month,
        usage.month_amount - amount,
        usage.month_count - 1,
    )


def replay_usage(
    usage: Usage, *, kind: int, leg: int, amount: int, booked_on: int, today: int
) -> Usage:
    """Count one committed row again; ``booked_on`` is the purchase's day, not the reversal's.

    Amounts count with every leg, the purchase itself with its first (0, or 100 of a reversal).
    """
    month = month_of(today)
    now = usage_on(usage, today, month)
    if month_of(booked_on) != month or kind not in _COUNTED:
        return now
    sign = _COUNTED[kind]
    first = int(leg % REVERSAL_LEG == 0) * sign
    same_day = booked_on == today
    return Usage(
        today,
        now.day_amount + amount * sign * same_day,
        now.day_count + first * same_day,
        month,
        now.month_amount + amount * sign,
        now.month_count + first,
    )
