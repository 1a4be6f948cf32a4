"""Cards and purses on a real PostgreSQL."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from pathlib import Path

import pytest

from libs.contracts.accounts import purse_account
from libs.pg import Pool, StoreConflict, StoreUnavailable, open_pool
from services.authorization.domain.card import Card, CardStatus, Purse
from services.authorization.domain.card_rows import CardRow, CardShown, PurseRow
from services.authorization.store.cards import CardsDiffer, CardStore

pytestmark = pytest.mark.postgres

TODAY = date(2026, 11, 24)
TODAY_NUMBER = 20_781


@pytest.fixture
async def pool(make_database: Callable[..., Awaitable[str]]) -> AsyncIterator[Pool]:
    dsn = await make_database({"authorization": Path("services/authorization/migrations")})
    async with open_pool(dsn, name="tests", size=2) as opened:
        yield opened


def a_token(number: int) -> bytes:
    return number.to_bytes(16, "big")


def a_row(number: int, **changes: object) -> CardRow:
    row = CardRow(
        card_id=number,
        token=a_token(number),
        sealed_pan=b"sealed",
        masked="936009******0016",
        wallet=number + 100,
        product="standard",
        status=CardStatus.ACTIVE,
        expiry="3012",
    )
    return row._replace(**changes)  # type: ignore[arg-type]  # -- a builder takes any field


class TestReadCards:
    async def test_returns_cards_with_their_purses(self, pool: Pool) -> None:
        """Each token that exists comes with the purses of its wallet, first to expire first."""
        store = CardStore(pool)
        await store.write_cards(
            [a_row(1), a_row(2, status=CardStatus.STOLEN, product="limited", expiry="2412")],
            [
                PurseRow(101, 1, 2, TODAY.replace(year=2030)),
                PurseRow(101, 2, 1, TODAY),
                PurseRow(999, 1, 1, TODAY),
            ],
        )

        cards = await store.read_cards([a_token(2), a_token(1), a_token(3)])

        first = Card(
            card_id=1,
            wallet=101,
            own_account=purse_account(101),
            product="standard",
            status=CardStatus.ACTIVE,
            expiry="3012",
            pin_tries=0,
            purses=(
                Purse(purse_account(101, 2), 1, TODAY_NUMBER),
                Purse(purse_account(101, 1), 2, TODAY_NUMBER + 1461),
            ),
        )
        second = first._replace(
            card_id=2,
            wallet=102,
            own_account=purse_account(102),
            product="limited",
            status=CardStatus.STOLEN,
            expiry="2412",
            purses=(),
        )
        assert {a_token(1): first, a_token(2): second} == cards

    async def test_gives_two_cards_of_one_wallet_the_same_purses(self, pool: Pool) -> None:
        """A card is a key to a wallet: a second card sees the same money."""
        store = CardStore(pool)
        await store.write_cards(
            [a_row(1, wallet=7), a_row(2, wallet=7)], [PurseRow(7, 1, 1, TODAY)]
        )

        cards = await store.read_cards([a_token(1), a_token(2)])

        assert cards[a_token(1)].purses == cards[a_token(2)].purses
        assert 1 == len(cards[a_token(1)].purses)

    async def test_reports_a_database_that_is_away(self) -> None:
        """A store that cannot be reached is a fault that the loop tries again."""
        dsn = "postgresql://nobody@127.0.0.1:1/nothing"
        async with open_pool(dsn, name="tests", size=1) as pool:
            with pytest.raises(StoreUnavailable):
                await CardStore(pool).read_cards([a_token(1)])


class TestWriteCards:
    async def test_changes_nothing_the_second_time(self, pool: Pool) -> None:
        """Seeding twice writes nothing, also when cards and purses have changed since."""
        store = CardStore(pool)
        purse = PurseRow(101, 1, 1, TODAY)
        assert 2 == await store.write_cards([a_row(1), a_row(2)], [purse])
        await pool.write('UPDATE "authorization".card SET status = 2 WHERE id = 1')

        assert 1 == await store.write_cards([a_row(1), a_row(2), a_row(3)], [purse])

        cards = await store.read_cards([a_token(1), a_token(3)])
        assert CardStatus.BLOCKED is cards[a_token(1)].status
        assert CardStatus.ACTIVE is cards[a_token(3)].status

    @pytest.mark.parametrize(
        "other", [a_row(1, token=a_token(9)), a_row(9, token=a_token(1), wallet=5)]
    )
    async def test_refuses_another_token_key(self, pool: Pool, other: CardRow) -> None:
        """Cards that stand there under other tokens would silently be unknown: nothing is done."""
        store = CardStore(pool)
        await store.write_cards([a_row(1)], [])

        with pytest.raises(CardsDiffer, match="1 cards"):
            await store.write_cards([other, a_row(2)], [PurseRow(102, 1, 1, TODAY)])

        assert {} == await store.read_cards([a_token(2), a_token(9)])

    @pytest.mark.parametrize(
        "bad",
        [
            {"expiry": "3013"},
            {"masked": "9360099900000016"},
            {"token": b"short"},
        ],
    )
    async def test_refuses_what_no_card_can_be(self, pool: Pool, bad: dict[str, object]) -> None:
        """The table itself refuses a month 13, a card number in clear, a token cut short."""
        with pytest.raises(StoreConflict):
            await CardStore(pool).write_cards([a_row(1, **bad)], [])

    async def test_refuses_a_sixth_purse(self, pool: Pool) -> None:
        """A wallet has at most five restricted purses."""
        with pytest.raises(StoreConflict):
            await CardStore(pool).write_cards([a_row(1)], [PurseRow(101, 6, 1, TODAY)])


class TestReadCardByToken:
    async def test_shows_a_card_to_people(self, pool: Pool) -> None:
        """Everything but the sealed number, purses in the order in which they pay."""
        store = CardStore(pool)
        later, soon = (
            PurseRow(101, 1, 2, TODAY.replace(year=2030)),
            PurseRow(101, 2, 1, TODAY),
        )
        await store.write_cards([a_row(1, pin_verifier=b"v")], [later, soon])

        expected = CardShown(
            card_id=1,
            masked="936009******0016",
            wallet=101,
            product="standard",
            status=CardStatus.ACTIVE,
            expiry="3012",
            pin_tries=0,
            has_pin=True,
            purses=(soon, later),
        )
        assert expected == await store.read_card_by_token(a_token(1))

    async def test_finds_nobody(self, pool: Pool) -> None:
        """A token of nobody shows nothing."""
        assert await CardStore(pool).read_card_by_token(a_token(1)) is None
