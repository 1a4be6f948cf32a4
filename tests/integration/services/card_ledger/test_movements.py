"""What moved in a wallet, read from real books: pages, balances by day, and by index only."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from libs.clock import day_number, day_of
from libs.contracts.accounts import purse_account
from libs.contracts.lesko.v1.card_ledger_pb2 import AccountTerms, LedgerCommand
from libs.fakes.ledger import (
    TODAY,
    a_purchase,
    a_reference,
    a_reversal,
    an_adjustment,
    an_opening,
)
from libs.fakes.postgres_ledger import Owner, RealLedger, open_real_ledger
from libs.outcome import Outcome
from services.card_ledger.domain.movement import Period, period_of
from services.card_ledger.domain.transfer import Transfer
from services.card_ledger.handlers.open_accounts import Opening
from services.card_ledger.store.movements import BALANCES, PAGE, PostgresMovements

pytestmark = pytest.mark.postgres

MakeDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]
NOON_MS = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)
DAY_MS = 24 * 3600 * 1000
DAYS = 4
WALLETS = (1, 5)  # They share a partition.
SIDES = ("debit", "(debit", "credit", "(credit")
"""An index condition of its own, or the first of several."""
PURSES = [Opening(w, p, p, None, None, 5_000) for w in WALLETS for p in (0, 1)]


@pytest.fixture
async def ledger(make_database: MakeDatabase) -> AsyncIterator[RealLedger]:
    """Fresh books at noon of 24 November 2026 in Jayapura."""
    dsn = await make_database({"card_ledger": Path("services/card_ledger/migrations")})
    async with open_real_ledger(dsn, now_ms=NOON_MS) as real:
        yield real


def some_commands(random: Random, day: int) -> list[LedgerCommand]:
    """Purchases of one or two purses, their reversals (some of other days), adjustments."""
    commands = []
    for number in range(12):
        wallet = random.choice(WALLETS)
        stan, amount = day * 100 + number, random.choice((1, 30, 700))
        reference = a_reference(stan=stan * 10 + wallet, amount=amount, wallet=wallet)
        commands.append(
            random.choice(
                (
                    a_purchase(reference, wallet=wallet, lines=((0, amount, (1, 0)),)),
                    a_purchase(reference, wallet=wallet),
                    an_adjustment(random.choice((amount, -amount)), stan=stan, wallet=wallet),
                )
            )
        )
        if number % 3 == 0:
            old = random.randrange(day * 100 + number + 1)
            again = a_reference(stan=old * 10 + wallet, amount=700, wallet=wallet)
            commands.append(a_reversal(again, wallet=wallet))
    return commands


@pytest.fixture
async def owner(ledger: RealLedger) -> Owner:
    """An owner whose books hold four days of two wallets."""
    owner = await ledger.own()
    await ledger.open(owner, PURSES)
    random = Random(5)
    for day in range(DAYS):
        await owner.post(*some_commands(random, day))
        ledger.clock.advance(DAY_MS)
    return owner


async def all_rows(ledger: RealLedger, wallet: int) -> list[Transfer]:
    """What moved in a wallet, found without any index."""
    rows = await ledger.pool.read(
        "SELECT id, booked_on - DATE '1970-01-01' AS day, debit, credit, amount"
        "  FROM card_ledger.transfer WHERE debit_seq > 0 ORDER BY id"
    )
    purses = {purse_account(wallet, purse) for purse in range(6)}
    zeros = dict.fromkeys(Transfer._fields, 0)
    return [
        Transfer(
            **{
                **zeros,
                "id": row["id"],
                "booked_on": row["day"],
                "debit": row["debit"],
                "credit": row["credit"],
                "amount": row["amount"],
            }
        )
        for row in rows
        if not {row["debit"], row["credit"]}.isdisjoint(purses)
    ]


def held(rows: list[Transfer], account: int, day: int) -> int:
    """What an account held at the end of a day, summed from its rows."""
    return sum(
        row.amount * ((row.credit == account) - (row.debit == account))
        for row in rows
        if row.booked_on <= day
    )


async def plan_of(ledger: RealLedger, sql: str, *args: object) -> str:
    """How the writer's pool would run a statement."""
    rows = await ledger.pool.read(f"EXPLAIN {sql}", *args)
    return "\n".join(row[0] for row in rows)


class TestReadMovements:
    @pytest.mark.parametrize("rows_max", [4, 500])
    async def test_tells_each_row_once_in_order(
        self, ledger: RealLedger, owner: Owner, rows_max: int
    ) -> None:
        """For every period, whatever the page: the rows that a plain reading finds."""
        books, wallet = PostgresMovements(ledger.pool), WALLETS[1]
        rows = await all_rows(ledger, wallet)
        assert len({row.booked_on for row in rows}) == DAYS
        today = day_number(TODAY)
        for first in range(today - 1, today + DAYS):
            for last in (first, first + 1, first + DAYS):
                told: list[int] = []
                has_more = True
                while has_more:
                    after = told[-1] if told else 0
                    page = await books.read_movements(
                        period_of(wallet, first, last, after, rows_max)
                    )
                    told += [row.id for row in page.rows]
                    has_more = page.has_more

                assert [row.id for row in rows if first <= row.booked_on <= last] == told

    @pytest.mark.parametrize("projected", [False, True])
    async def test_tells_what_purses_held_by_booking_day(
        self, ledger: RealLedger, owner: Owner, *, projected: bool
    ) -> None:
        """Opening is the closing of the day before; both are sums of rows, not projections."""
        if projected:
            await ledger.upkeep.project(range(4), rows_max=10)
        books = PostgresMovements(ledger.pool)
        rows = await all_rows(ledger, 1)
        for day in range(day_number(TODAY) - 1, day_number(TODAY) + DAYS + 1):
            page = await books.read_movements(period_of(1, day, day, 0, 500))
            for told, until in ((page.opening, day - 1), (page.closing, day)):
                expected = [
                    (purse_account(1, purse), purse, held(rows, purse_account(1, purse), until))
                    for purse in (0, 1)
                ]

                assert expected == [tuple(one) for one in told]

    async def test_tells_a_row_between_two_purses_once(self, ledger: RealLedger) -> None:
        """It left one purse of the wallet and came to another: one row, both balances."""
        owner = await ledger.own()
        await ledger.open(owner, PURSES)
        between = an_adjustment(700)
        (leg,) = between.posting.legs
        leg.debit, leg.credit = purse_account(1, 1), purse_account(1)
        between.accounts.append(purse_account(1, 1))
        await owner.post(between)
        today = day_number(TODAY)
        page = await PostgresMovements(ledger.pool).read_movements(period_of(1, today, today, 0, 9))
        *_, last = page.rows

        assert 3 == len(page.rows)  # Two openings, and this one.
        assert (4_300, 5_700) == (last.debit_after, last.credit_after)
        assert [5_700, 4_300] == [one.amount for one in page.closing]

    async def test_knows_nothing_of_a_wallet_without_purses(self, ledger: RealLedger) -> None:
        """No balance at all, which is how an asker learns that it does not exist."""
        page = await PostgresMovements(ledger.pool).read_movements(period_of(77, 0, 99, 0, 9))

        assert ((), (), (), False) == page

    async def test_goes_by_index_only(self, ledger: RealLedger, owner: Owner) -> None:
        """Never over a whole day partition: the debits' and the credits' index lead to the rows."""
        period: Period = period_of(1, day_number(TODAY), day_number(TODAY), 0, 500)
        days = day_of(period.first_day), day_of(period.last_day)
        page = await plan_of(ledger, PAGE, period.purses, period.after, *days, 501)
        balances = await plan_of(ledger, BALANCES, period.purses, days[0])
        for plan in (page, balances):
            scans = plan.count(" on transfer_")
            by_side = [plan.count(f"Index Cond: ({side} = ") for side in SIDES]

            assert "Seq Scan on transfer" not in plan
            assert scans == sum(by_side) > 0


class TestOpenAccounts:
    async def test_are_open_for_every_owner_and_opened_once(self, ledger: RealLedger) -> None:
        """Opened and used in one batch; the next owner knows terms and balance; redelivery too."""
        opening = an_opening(AccountTerms(number=purse_account(1), ceiling_minor=5_000))
        one = await ledger.own()
        await one.post(opening, an_adjustment(4_000))
        two = await ledger.own()
        await two.post(
            an_opening(AccountTerms(number=purse_account(1), ceiling_minor=99_000)), opening
        )
        above, fits = await two.post(an_adjustment(1_001, stan=2), an_adjustment(1_000, stan=3))

        assert Outcome.CEILING is Outcome.of(above.outcome)
        assert Outcome.APPROVED is Outcome.of(fits.outcome)
        await ledger.upkeep.project(range(4), rows_max=100)
        assert (await ledger.verify()).is_clean

    async def test_keep_their_last_day(self, ledger: RealLedger) -> None:
        """A restricted purse that a command opened pays until that day, not after it."""
        terms = AccountTerms(number=purse_account(1, 1), valid_until=day_number(TODAY), programme=7)
        owner = await ledger.own()
        await owner.post(an_opening(terms), an_adjustment(500, purse=1))
        lines = ((0, 100, (1,)),)
        (today,) = await owner.post(a_purchase(a_reference(stan=1, amount=100), lines=lines))
        ledger.clock.advance(DAY_MS)
        later = a_reference(stan=2, amount=100, day=date(2026, 11, 25))
        (tomorrow,) = await owner.post(a_purchase(later, lines=lines))

        assert Outcome.APPROVED is Outcome.of(today.outcome)
        assert Outcome.FUNDS_SHORT is Outcome.of(tomorrow.outcome)
        assert timedelta(days=1) == ledger.today - TODAY
