"""A day closing adds up what it is given, names what does not fit, and waits for the day's end."""

from collections.abc import AsyncIterator, Sequence
from datetime import date

import pytest

from services.card_ledger.domain.closing import NAMED_MAX, AccountDay, DayTotals
from services.card_ledger.handlers.close_day import DayNotOver, close_day

DAY, TODAY = date(2026, 11, 23), date(2026, 11, 24)
SOUND = (AccountDay(1, 1_000, 300, 100, 800), AccountDay(2, -1_000, 100, 300, -800))


class Lines:
    """A snapshot that holds these accounts."""

    def __init__(self, lines: Sequence[AccountDay]) -> None:
        self._lines = lines

    async def accounts(self, day: date) -> AsyncIterator[AccountDay]:
        """Give them."""
        for line in self._lines:
            yield line


async def close(lines: Sequence[AccountDay]) -> tuple[DayTotals, list[AccountDay]]:
    """The totals, and what was written."""
    written: list[AccountDay] = []
    return await close_day(Lines(lines), DAY, today=TODAY, write=written.append), written


class TestCloseDay:
    async def test_writes_every_account_and_adds_up(self) -> None:
        """All together hold nothing before and after, and debits are credits."""
        totals, written = await close(SOUND)

        assert list(SOUND) == written
        assert DayTotals(2, 0, 400, 400, 0, ()) == totals

    @pytest.mark.parametrize("day", [TODAY, date(2026, 11, 25)])
    async def test_refuses_a_day_that_is_not_over(self, day: date) -> None:
        """Today may still get bookings."""
        with pytest.raises(DayNotOver, match="is not over"):
            await close_day(Lines(SOUND), day, today=TODAY, write=lambda _: None)

    async def test_names_an_account_that_the_ledger_holds_otherwise(self) -> None:
        """Its rows say one thing, the ledger another."""
        totals, _ = await close([SOUND[0], SOUND[1]._replace(balance=-799)])

        assert ("account 2: its rows say -800 sen, the ledger holds -799",) == totals.findings

    async def test_names_money_out_of_nowhere(self) -> None:
        """One side of a movement is missing: debits, and both sums, tell it."""
        totals, _ = await close([SOUND[0], AccountDay(2, -900, 0, 300, -600)])

        assert 3 == len(totals.findings)

    async def test_names_a_bounded_number(self) -> None:
        """A thousand wrong accounts are not a thousand sentences."""
        wrong = [AccountDay(number, 0, 0, 0, 5) for number in range(NAMED_MAX + 3)]
        totals, _ = await close(wrong)

        assert NAMED_MAX + 1 == len(totals.findings)
        assert "3 more accounts do not fit" == totals.findings[-1]
