"""The posting handler on real books: fence, keys, restart, days, verification."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from libs.contracts.accounts import purse_account
from libs.contracts.lesko.v1.card_ledger_pb2 import Limits
from libs.fakes.ledger import a_purchase, a_reference, a_reversal, an_inquiry
from libs.fakes.postgres_ledger import RealLedger, open_real_ledger
from libs.outcome import Outcome
from services.card_ledger.handlers.open_accounts import Opening
from services.card_ledger.handlers.post_transfers import TenureEnded

pytestmark = pytest.mark.postgres

MakeDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]
NOON_MS = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)
DAY_MS = 24 * 3600 * 1000
OPENINGS = [
    Opening(1, 0, 0, None, None, 100_000),
    Opening(1, 1, 1, None, date(2030, 12, 31), 20_000),
    Opening(2, 0, 0, None, None, 100_000),
    Opening(3, 0, 0, None, None, 0),
]


@pytest.fixture
async def ledger(make_database: MakeDatabase) -> AsyncIterator[RealLedger]:
    """Fresh books at noon of 24 November 2026 in Jayapura."""
    dsn = await make_database({"card_ledger": Path("services/card_ledger/migrations")})
    async with open_real_ledger(dsn, now_ms=NOON_MS) as real:
        yield real


async def count(ledger: RealLedger, sql: str) -> int:
    """Return the one number that a query gives."""
    return int((await ledger.pool.read(sql))[0][0])


class TestOwnership:
    async def test_fences_an_owner_that_was_replaced(self, ledger: RealLedger) -> None:
        """The woken owner writes nothing and says nothing, whatever it is asked."""
        old = await ledger.own()
        await ledger.open(old, OPENINGS)
        new = await ledger.own()
        await new.post(a_purchase(a_reference(stan=1, amount=100)))

        for command in (a_purchase(a_reference(stan=2, amount=100)), an_inquiry()):
            # By the fence, not by whichever row is there already.
            with pytest.raises(TenureEnded, match="lost the lease"):
                await old.post(command)
        assert 1 == await count(ledger, "SELECT count(*) FROM card_ledger.transfer WHERE kind = 1")
        assert (await ledger.verify()).is_clean

    async def test_gives_no_lease_while_one_is_held(self, ledger: RealLedger) -> None:
        """A second process gets nothing, and learns who holds it."""
        owner = await ledger.own()
        again = await owner.leases.take("another")

        assert [] == list(again)
        assert ["owner 1"] == await owner.leases.holders()

    async def test_frees_a_lease_with_its_holders_connection(self, ledger: RealLedger) -> None:
        """A killed holder's leases need not run out first."""
        await ledger.own()
        second = await ledger.own()

        assert {2} == set(second.tenure.epochs.values())


class TestKeys:
    async def test_books_a_key_once_for_every_owner(self, ledger: RealLedger) -> None:
        """A new owner has nothing in memory of the key: the unique index tells it."""
        first_owner = await ledger.own()
        await ledger.open(first_owner, OPENINGS)
        (first,) = await first_owner.post(a_purchase(a_reference(amount=700)))
        second_owner = await ledger.own()
        (repeat,) = await second_owner.post(a_purchase(a_reference(amount=700)))

        assert (first.outcome, first.rrn, first.approval_code) == (
            repeat.outcome,
            repeat.rrn,
            repeat.approval_code,
        )
        assert repeat.is_replay
        assert 99_300 == repeat.balances[0].amount_minor
        assert 1 == await count(ledger, "SELECT count(*) FROM card_ledger.transfer WHERE kind = 1")

    async def test_reverses_once_for_every_owner(self, ledger: RealLedger) -> None:
        """Reversed by one owner, repeated to the next: the money came back once."""
        one = await ledger.own()
        await ledger.open(one, OPENINGS)
        await one.post(a_purchase(a_reference(amount=700)))
        await one.post(a_reversal(a_reference(amount=700)))
        two = await ledger.own()
        (again,) = await two.post(a_reversal(a_reference(amount=700)))
        (repeat,) = await two.post(a_purchase(a_reference(amount=700)))

        assert Outcome.APPROVED is Outcome.of(again.outcome)
        assert Outcome.REVERSED is Outcome.of(repeat.outcome)
        assert 100_000 == again.balances[0].amount_minor

    async def test_opens_accounts_once(self, ledger: RealLedger) -> None:
        """Seeding again changes nothing, also on another day."""
        owner = await ledger.own()
        await ledger.open(owner, OPENINGS)
        ledger.clock.advance(DAY_MS)
        later = await ledger.own()
        await ledger.open(later, OPENINGS)

        assert 3 == await count(ledger, "SELECT count(*) FROM card_ledger.transfer")


class TestRestart:
    @pytest.mark.parametrize("projected", [False, True])
    async def test_goes_on_with_the_same_balances_and_limits(
        self, ledger: RealLedger, *, projected: bool
    ) -> None:
        """Whether the projections had caught up or not."""
        limits = Limits(day_amount_minor=1_000, month_amount_minor=5_000)
        one = await ledger.own()
        await ledger.open(one, OPENINGS)
        lines = ((0, 700, (1, 0)),)
        await one.post(a_purchase(a_reference(stan=1, amount=700), lines=lines, limits=limits))
        await one.post(a_purchase(a_reference(stan=2, amount=200), limits=limits))
        await one.post(a_reversal(a_reference(stan=2, amount=200)))
        if projected:
            assert 0 == await ledger.upkeep.project(range(4), rows_max=2)
        two = await ledger.own()
        over, fits = await two.post(
            a_purchase(a_reference(stan=3, amount=301), limits=limits),
            a_purchase(a_reference(stan=4, amount=300), limits=limits),
        )

        assert Outcome.AMOUNT_LIMIT is Outcome.of(over.outcome)
        assert Outcome.APPROVED is Outcome.of(fits.outcome)
        assert 99_700 == fits.balances[0].amount_minor
        account = two.tenure.book.account(purse_account(1, 1))
        assert account is not None
        assert 19_300 == account.balance
        assert (await ledger.verify()).is_clean


class TestDays:
    @pytest.mark.parametrize("days", [3, 8, 40])
    async def test_go_on_after_some_days(self, ledger: RealLedger, days: int) -> None:
        """Each key finds a day of its own; repeats of old keys are still known."""
        owner = await ledger.own()
        await ledger.open(owner, OPENINGS)
        await owner.post(a_purchase(a_reference(amount=100)))
        for _ in range(days):
            ledger.clock.advance(DAY_MS)
            await ledger.days.prepare()
        later = a_reference(stan=2, amount=100, day=ledger.today)
        (new,) = await owner.post(a_purchase(later))
        (old,) = await owner.post(a_purchase(a_reference(amount=100)))

        assert (Outcome.APPROVED.number, False) == (new.outcome, new.is_replay)
        assert (Outcome.APPROVED.number, True) == (old.outcome, old.is_replay)
        assert None is await ledger.days.problem()
        assert 0 == await ledger.days.alarm()
        assert (await ledger.verify()).is_clean

    async def test_alarm_and_heal_when_nobody_made_the_day(self, ledger: RealLedger) -> None:
        """DEFAULT takes the row, the alarm counts it, and it moves into its day afterwards."""
        owner = await ledger.own()
        await ledger.open(owner, OPENINGS)
        ledger.clock.advance(9 * DAY_MS)
        reference = a_reference(stan=2, amount=100, day=ledger.today)
        await owner.post(a_purchase(reference))

        assert None is not await ledger.days.problem()
        assert 1 == await ledger.days.alarm()
        await ledger.days.prepare()
        (repeat,) = await owner.post(a_purchase(reference))
        assert (0, True) == (await ledger.days.alarm(), repeat.is_replay)
        assert (await ledger.verify()).is_clean

    async def test_heal_after_a_reversal_of_long_ago(self, ledger: RealLedger) -> None:
        """Its tombstone gets a day of its own at the next turn; the alarm does not last."""
        owner = await ledger.own()
        await ledger.open(owner, OPENINGS)
        old = a_reference(stan=7, amount=100, day=ledger.today - timedelta(days=170))
        await owner.post(a_reversal(old))

        assert 1 == await ledger.days.alarm()
        await ledger.days.prepare()
        assert 0 == await ledger.days.alarm()
        (late,) = await owner.post(a_purchase(old))
        assert Outcome.REVERSED is Outcome.of(late.outcome)

    @pytest.mark.parametrize(
        ("last", "first"),
        [
            (date(2026, 12, 31), date(2027, 1, 1)),
            (date(2028, 2, 29), date(2028, 3, 1)),
        ],
    )
    async def test_count_limits_by_day_and_month(
        self, ledger: RealLedger, last: date, first: date
    ) -> None:
        """Around midnight of New Year and of 29 February."""
        ledger.clock.advance((last - ledger.today) // timedelta(days=1) * DAY_MS)
        await ledger.days.prepare()
        owner = await ledger.own()
        await ledger.open(owner, OPENINGS)
        limits = Limits(month_amount_minor=1_000)
        full, over = await owner.post(
            a_purchase(a_reference(stan=1, amount=1_000, day=last), limits=limits),
            a_purchase(a_reference(stan=2, amount=1, day=last), limits=limits),
        )
        ledger.clock.advance(12 * 3600 * 1000)
        fresh, _ = await owner.post(
            a_purchase(a_reference(stan=3, amount=1_000, day=first), limits=limits),
            a_reversal(a_reference(stan=1, amount=1_000, day=last)),
        )
        (still_full,) = await owner.post(
            a_purchase(a_reference(stan=4, amount=1, day=first), limits=limits)
        )

        assert [Outcome.APPROVED, Outcome.AMOUNT_LIMIT, Outcome.APPROVED] == [
            Outcome.of(answer.outcome) for answer in (full, over, fresh)
        ]
        assert Outcome.AMOUNT_LIMIT is Outcome.of(still_full.outcome)
        assert first == ledger.today
