"""Statements are asked for page by page, within a role and within a bound."""

from collections.abc import Mapping, Sequence
from datetime import date

import pytest

from libs.clock import day_number
from libs.contracts.accounts import adjustment_account, purse_account
from libs.contracts.lesko.v1.card_ledger_pb2 import PurseAmount, Transfer, WalletMovements
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Caller, Role, Scope
from services.admin.domain.statement import Adjusted, Note, Statement
from services.admin.handlers import read_statement
from services.admin.handlers.read_statement import ENTRIES_MAX, ReadStatement, WalletNow

DAY, NEXT = date(2026, 11, 24), date(2026, 11, 25)
OWN = purse_account(7)
KEY = b"k" * 16


def a_caller(role: Role = Role.FINANCE) -> Caller:
    """An operator of a region, whose scope no wallet has."""
    return Caller(1, "ani", role, Scope(frozenset({"Jayapura"})))


class Ledger:
    """Knows wallet 7 with so many movements of one sen each, some to a page."""

    def __init__(self, movements: int, *, page: int = 500) -> None:
        self._movements = movements
        self._page = page
        self.asked: list[tuple[int, int, int]] = []

    async def movements(
        self, wallet: int, *, first_day: int, last_day: int, after: int
    ) -> WalletMovements:
        """Return the next page."""
        self.asked.append((first_day, last_day, after))
        if wallet != 7:
            return WalletMovements(wallet=wallet)
        count = self._movements if first_day == day_number(DAY) else 0
        rows = [
            Transfer(
                id=number, debit=adjustment_account(3), credit=OWN, amount_minor=1,
                debit_after=-number, credit_after=number, kind=13, key=KEY,
                booked_on=day_number(DAY),
            )
            for number in range(after + 1, min(after + self._page, count) + 1)
        ]  # fmt: skip
        told = [PurseAmount(account=OWN, amount_minor=amount) for amount in (0, count)]
        return WalletMovements(
            wallet=wallet,
            opening=told[:1] if not after else [],
            closing=told[1:] if not after else [],
            movements=rows,
            has_more=after + self._page < count,
        )


class Notes:
    """One adjustment with its paper."""

    async def notes(self, wallet: int) -> Mapping[bytes, Note]:
        """Return it."""
        return {KEY: Note("Selisih kas", "BA-17")}

    async def latest(self, wallet: int, *, rows_max: int) -> Sequence[Adjusted]:
        """Return it once more, refused or not."""
        return [Adjusted(KEY, DAY, Note("Selisih kas", "BA-17"), None)]


async def count_entries(statement: Statement) -> bytes:
    """A file format for tests."""
    return str(len(statement.entries)).encode()


def a_reader(ledger: Ledger) -> ReadStatement:
    """A reader on these."""
    return ReadStatement(ledger, Notes(), {"count": count_entries})


class TestReadStatement:
    async def test_reads_page_after_page(self) -> None:
        """Each begins behind the last row of the one before."""
        ledger = Ledger(7, page=3)
        found = await a_reader(ledger).statement(a_caller(), 7, first=DAY, last=NEXT)

        assert isinstance(found, Statement)
        assert [0, 3, 6] == [after for _, _, after in ledger.asked]
        assert [1, 2, 3, 4, 5, 6, 7] == [entry.balance for entry in found.entries]
        assert {("Selisih kas", "BA-17")} == {(e.reason, e.document) for e in found.entries}

    async def test_gives_a_file(self) -> None:
        """In the format that was asked for."""
        file = await a_reader(Ledger(7)).file(a_caller(), 7, first=DAY, last=DAY, form="count")

        assert b"7" == file

    async def test_tells_what_a_wallet_holds_now(self) -> None:
        """Without any of its movements."""
        found = await a_reader(Ledger(7)).now(a_caller(Role.OPERATOR), 7)

        assert isinstance(found, WalletNow)
        assert [(0, 0)] == [(one.purse, one.closing) for one in found.purses]

    @pytest.mark.parametrize(
        ("role", "count"), [(Role.APPROVER, 1), (Role.FINANCE, 1), (Role.ADMINISTRATOR, 0)]
    )
    async def test_tells_of_adjustments_who_may_see_them(self, role: Role, count: int) -> None:
        """Whoever proposes, approves or reads statements; the reason is for nobody else."""
        caller = a_caller(role)._replace(has_factor=True)
        found = await a_reader(Ledger(7)).now(caller, 7)

        assert isinstance(found, WalletNow)
        assert count == len(found.adjusted)

    async def test_knows_no_other_wallet(self) -> None:
        """404, for its balance and for its statement."""
        reader = a_reader(Ledger(0))
        for found in (
            await reader.now(a_caller(), 8),
            await reader.statement(a_caller(), 8, first=DAY, last=DAY),
        ):
            assert isinstance(found, Refused)
            assert Refusal.UNKNOWN is found.why

    async def test_refuses_a_period_that_ends_before_it_begins(self) -> None:
        """Nothing is asked."""
        ledger = Ledger(1)
        found = await a_reader(ledger).statement(a_caller(), 7, first=NEXT, last=DAY)

        assert isinstance(found, Refused)
        assert [] == ledger.asked

    @pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.APPROVER])
    async def test_gives_no_statement_to_other_roles(self, role: Role) -> None:
        """Nothing is asked: what people bought is not everybody's business."""
        ledger = Ledger(1)
        found = await a_reader(ledger).statement(a_caller(role), 7, first=DAY, last=DAY)

        assert Refused(Refusal.NOT_YOUR_ROLE) == found
        assert [] == ledger.asked

    async def test_stops_at_too_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A longer one is asked for in parts; what one takes of memory is bounded."""
        assert 10_000 <= ENTRIES_MAX
        monkeypatch.setattr(read_statement, "ENTRIES_MAX", 5)
        ledger = Ledger(1_000, page=3)
        found = await a_reader(ledger).statement(a_caller(), 7, first=DAY, last=DAY)

        assert isinstance(found, Refused)
        assert Refusal.NOT_ALLOWED is found.why
        assert 2 == len(ledger.asked)
