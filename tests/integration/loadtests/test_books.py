"""The check of the books against real rows, and against each way in which they can be wrong."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from libs.contracts.accounts import AccountKind, account_number, outlet_account, purse_account
from libs.outcome import Outcome
from loadtests.belief import Belief, facts
from loadtests.books import Books, check_books

pytestmark = pytest.mark.postgres

MakeDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]

DAY = date(2026, 11, 24)
PURSE, OUTLET = purse_account(1), outlet_account(1, 1)
FUNDING = account_number(AccountKind.FUNDING, 0, 1)
OPENING = 100_000
INSERT = """
    INSERT INTO card_ledger.transfer (
        id, debit, credit, amount, debit_after, credit_after, debit_seq, ref, asked, wallet, card,
        at, key_day, booked_on, processing_code, stan, outcome, flags, leg, kind, goods_class,
        key, card_token, outlet, terminal, rrn_sent)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $4, 1, 1, now(), $8, $8, 0, $9, $10, 0, $11, $12, 0,
            $13, '', '', $14, '')
"""


class Ledger:
    """Writes rows as the ledger does, keeping running balances."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self._connection = connection
        self._after: dict[int, int] = {}
        self._id = 0

    async def move(self, debit: int, credit: int, amount: int, stan: int, **row: Any) -> None:
        """Book one movement; ``row`` may set kind, leg, terminal, key, error in the balance."""
        self._after[debit] = self._after.get(debit, 0) - amount
        self._after[credit] = self._after.get(credit, 0) + amount + row.pop("error", 0)
        after = self._after[debit], self._after[credit]
        await self.write(debit, credit, amount, after, stan, **row)

    async def write(
        self, debit: int, credit: int, amount: int, after: tuple[int, int], stan: int, **row: Any
    ) -> None:
        """Write one row as it is given."""
        self._id += 1
        terminal = row.get("terminal", "LSK00001")
        key = row.get("key", f"{terminal}{stan:06d}".encode())
        await self._connection.execute(
            INSERT, self._id, debit, credit, amount, *after, self._id if debit else 0, DAY, stan,
            row.get("outcome", 1), row.get("leg", 0), row.get("kind", 1), key, terminal,
        )  # fmt: skip

    async def purchase(self, stan: int, amount: int, **row: Any) -> None:
        """Book a purchase of the one card at the one outlet."""
        await self.move(PURSE, OUTLET, amount, stan, **row)

    async def reversal(self, stan: int, amount: int) -> None:
        """Book what goes back."""
        await self.move(OUTLET, PURSE, amount, stan, kind=5, leg=100)

    async def refuse(self, stan: int, outcome: Outcome) -> None:
        """Store a refusal."""
        await self.write(0, 0, 0, (0, 0), stan, outcome=outcome.number)

    async def entomb(self, stan: int) -> None:
        """Store a tombstone."""
        await self.write(0, 0, 500, (0, 0), stan, kind=11)


def a_belief() -> Belief:
    """Believe one key of each kind: STAN 1 approved, 2 refused 51, 3 reversed, 4 tombstoned."""
    belief = Belief(["LSK00001"])
    numbers = [belief.open(0, stan, facts(1, 500)) for stan in (1, 2, 3, 4)]
    belief.answered(numbers[0], b"00")
    belief.answered(numbers[1], b"51")
    belief.answered(numbers[2], b"00")
    belief.reversed(numbers[2])
    belief.tombstoned(numbers[3])
    return belief


async def booked(ledger: Ledger) -> None:
    """Book what a_belief believes; the split purchase is paid in two legs."""
    await ledger.move(FUNDING, PURSE, OPENING, 0, kind=14, terminal="", key=b"opening")
    await ledger.purchase(1, 200)
    await ledger.purchase(1, 300, leg=1)
    await ledger.refuse(2, Outcome.FUNDS_SHORT)
    await ledger.purchase(3, 500)
    await ledger.reversal(3, 500)
    await ledger.entomb(4)


async def examine(
    make_database: MakeDatabase, change: Callable[[Ledger], Awaitable[None]] | None = None
) -> Books:
    """Book the common rows and the change, then check."""
    dsn = await make_database({"card_ledger": Path("services/card_ledger/migrations")})
    connection = await asyncpg.connect(dsn)
    try:
        ledger = Ledger(connection)
        await booked(ledger)
        if change is not None:
            await change(ledger)
    finally:
        await connection.close()
    return await check_books(dsn, a_belief(), DAY)


class TestCheckBooks:
    async def test_is_clean_when_both_agree(self, make_database: MakeDatabase) -> None:
        """Sum zero over three accounts, four keys as believed."""
        books = await examine(make_database)

        assert {} == books.contradictions
        assert (0, 3, 4) == (books.sum, books.accounts, books.keys)

    @pytest.mark.parametrize(
        ("change", "found"),
        [
            (
                lambda ledger: ledger.purchase(9, 500),
                "booked but never asked",
            ),
            (
                lambda ledger: ledger.purchase(1, 500, leg=2),
                "paid another amount than was asked",
            ),
            (
                lambda ledger: ledger.purchase(1, 500, key=b"another"),
                "two keys for one STAN",
            ),
            (lambda ledger: ledger.reversal(1, 500), "approved but given back"),
            (lambda ledger: ledger.purchase(4, 500, leg=1), "paid after its reversal"),
            (
                lambda ledger: ledger.purchase(1, 0, leg=3, error=7),
                "sum over all accounts is not zero",
            ),
            (
                lambda ledger: ledger.purchase(1, 0, leg=3, error=7),
                "accounts unlike rows",
            ),
            (
                lambda ledger: ledger.purchase(1, OPENING, leg=3),
                "accounts purses below zero",
            ),
        ],
    )
    async def test_finds_what_is_wrong(
        self,
        make_database: MakeDatabase,
        change: Callable[[Ledger], Awaitable[None]],
        found: str,
    ) -> None:
        """One wrong row is found and named."""
        books = await examine(make_database, change)

        assert found in books.contradictions
