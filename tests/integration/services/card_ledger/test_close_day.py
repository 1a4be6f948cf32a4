"""Closing a booking day on real books: totals that are the ledger's, the same ones for ever."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from libs.contracts.accounts import adjustment_account, outlet_account, purse_account
from libs.fakes.ledger import TODAY, a_purchase, a_reference, a_reversal, an_adjustment
from libs.fakes.postgres_ledger import RealLedger, open_real_ledger
from services.card_ledger.domain.closing import AccountDay, DayTotals
from services.card_ledger.handlers.close_day import DayNotOver, close_day
from services.card_ledger.handlers.open_accounts import Opening
from services.card_ledger.store.closing import open_closing

pytestmark = pytest.mark.postgres

MakeDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]
NOON_MS = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)
DAY_MS = 24 * 3600 * 1000


@pytest.fixture
async def ledger(make_database: MakeDatabase) -> AsyncIterator[RealLedger]:
    """Books of two days: a purchase and an adjustment, then its reversal and another purchase."""
    dsn = await make_database({"card_ledger": Path("services/card_ledger/migrations")})
    async with open_real_ledger(dsn, now_ms=NOON_MS) as real:
        owner = await real.own()
        await real.open(
            owner, [Opening(1, 0, 0, None, None, 1_000), Opening(2, 0, 0, None, None, 0)]
        )
        await owner.post(a_purchase(a_reference(stan=1, amount=300)), an_adjustment(50))
        real.clock.advance(DAY_MS)
        tomorrow = TODAY + timedelta(days=1)
        await owner.post(
            a_reversal(a_reference(stan=1, amount=300)),
            a_purchase(a_reference(stan=2, amount=100, day=tomorrow)),
        )
        real.clock.advance(DAY_MS)
        yield real


async def close(ledger: RealLedger, day: date) -> tuple[DayTotals, dict[int, AccountDay]]:
    """The totals, and what each account did."""
    lines: list[AccountDay] = []
    async with open_closing(ledger.pool) as reader:
        totals = await close_day(reader, day, today=ledger.today, write=lines.append)
    assert sorted(line.account for line in lines) == [line.account for line in lines]
    return totals, {line.account: line for line in lines}


class TestCloseDay:
    @pytest.mark.parametrize("projected", [False, True])
    async def test_closes_each_day(self, ledger: RealLedger, *, projected: bool) -> None:
        """Opening, debits, credits, closing of each account; all together hold nothing."""
        if projected:
            await ledger.upkeep.project(range(4), rows_max=2)
        first, accounts = await close(ledger, TODAY)
        second, later = await close(ledger, TODAY + timedelta(days=1))

        assert AccountDay(purse_account(1), 0, 300, 1_050, 750) == accounts[purse_account(1)]
        assert AccountDay(outlet_account(1, 1), 0, 0, 300, 300) == accounts[outlet_account(1, 1)]
        assert AccountDay(adjustment_account(1), 0, 50, 0, -50) == accounts[adjustment_account(1)]
        assert AccountDay(purse_account(1), 750, 100, 300, 950) == later[purse_account(1)]
        assert AccountDay(purse_account(2), 0, 0, 0, 0) == accounts[purse_account(2)]
        assert (0, 1_350, 1_350, 0, ()) == first[1:]
        assert (0, 400, 400, 0, ()) == second[1:]

    async def test_gives_the_same_day_again(self, ledger: RealLedger) -> None:
        """What is over stays, whatever is booked later and however far projections are."""
        before = await close(ledger, TODAY)
        owner = await ledger.own()
        await owner.post(a_purchase(a_reference(stan=9, amount=7, day=ledger.today)))
        await ledger.upkeep.project(range(4), rows_max=100)

        assert before == await close(ledger, TODAY)

    @pytest.mark.parametrize(("minutes", "days"), [(5, 1), (15, 0)])
    async def test_waits_for_what_was_begun_before_midnight(
        self, ledger: RealLedger, minutes: int, days: int
    ) -> None:
        """Where it is five past midnight yesterday is not over yet, by the server's clock."""
        async with open_closing(ledger.pool) as reader:
            [row] = await ledger.pool.read("SELECT clock_timestamp() AS now")
            ahead = (minutes - row["now"].hour * 60 - row["now"].minute) % (24 * 60)
            zone = f"LMT-{ahead // 60:02}:{ahead % 60:02}"
            found = await reader.open_day(zone)
        here = (row["now"] + timedelta(minutes=ahead)).date()

        assert here - timedelta(days=days) == found

    async def test_refuses_today(self, ledger: RealLedger) -> None:
        """It may still get bookings."""
        with pytest.raises(DayNotOver):
            await close(ledger, ledger.today)

    @pytest.mark.parametrize(
        ("sql", "finding"),
        [
            (
                "UPDATE card_ledger.account SET balance = balance + 1 WHERE floor = 0",
                "ledger holds",
            ),
            (
                "UPDATE card_ledger.transfer SET amount = 299 WHERE kind = 1 AND stan = 1",
                "rows say",
            ),
            ("DELETE FROM card_ledger.transfer WHERE kind = 13", "rows say"),
        ],
    )
    async def test_names_what_was_changed_by_hand(
        self, ledger: RealLedger, sql: str, finding: str
    ) -> None:
        """Projection and rows no longer say the same."""
        await ledger.upkeep.project(range(4), rows_max=100)
        await ledger.pool.write(sql)
        totals, _ = await close(ledger, TODAY)

        assert finding in totals.findings[0]
