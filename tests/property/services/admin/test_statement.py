"""Statements of random histories: closing is opening plus movements, for any period and page."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand
from libs.fakes.ledger import TODAY
from services.admin.domain.statement import Statement, StatementFold
from tests.property.services.card_ledger.adjusted_histories import (
    BALANCE,
    WALLETS,
    ask_pages,
    histories,
    play,
)


class TestStatement:
    @given(histories, st.integers(0, 5), st.integers(0, 5), st.integers(1, 7))
    @settings(max_examples=100, deadline=None)
    async def test_closes_at_opening_plus_movements(
        self, history: list[LedgerCommand | None], since: int, days: int, rows_max: int
    ) -> None:
        """Purse by purse, and what one day closes at the next one opens at."""
        bench = await play(history)
        first, last = TODAY + timedelta(days=since), TODAY + timedelta(days=since + days)
        for wallet in WALLETS:
            found: list[Statement] = []
            for begin, end in ((TODAY, first - timedelta(days=1)), (first, last)):
                fold = StatementFold(wallet, begin, end)
                if begin <= end:
                    pages = await ask_pages(bench, wallet, first=begin, last=end, rows_max=rows_max)
                    for page in pages:
                        fold.add(page)
                    found.append(fold.statement({}))
            for statement in found:
                for purse in statement.purses:
                    moved = [e.amount for e in statement.entries if e.purse == purse.purse]

                    assert purse.closing == purse.opening + sum(moved)
                    assert purse.closing == purse.opening + purse.credits - purse.debits
            begun = [BALANCE] * 2 if len(found) == 1 else [p.closing for p in found[0].purses]
            assert begun == [purse.opening for purse in found[-1].purses]

    @given(histories)
    @settings(max_examples=50, deadline=None)
    async def test_ends_at_what_purses_hold(self, history: list[LedgerCommand | None]) -> None:
        """From the first day to the last one: the ledger's own balance, and no row twice."""
        bench = await play(history)
        for wallet in WALLETS:
            fold = StatementFold(wallet, TODAY, TODAY + timedelta(days=99))
            pages = await ask_pages(
                bench, wallet, first=TODAY, last=TODAY + timedelta(days=99), rows_max=3
            )
            for page in pages:
                fold.add(page)
            statement = fold.statement({})
            rows = [(entry.id, entry.purse) for entry in statement.entries]

            assert [bench.balance(wallet, purse) for purse in (0, 1)] == [
                purse.closing for purse in statement.purses
            ]
            assert sorted(set(rows)) == sorted(rows)
