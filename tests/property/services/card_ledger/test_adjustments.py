"""Random histories with adjustments: money is conserved, pages add up to what purses hold."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.accounts import adjustment_account, purse_account
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand
from libs.fakes.ledger import TODAY
from libs.outcome import Outcome
from services.card_ledger.domain.transfer import Transfer
from tests.property.services.card_ledger.adjusted_histories import (
    CEILING,
    WALLETS,
    ask_pages,
    histories,
    play,
)


def moved(rows: Sequence[Transfer], account: int) -> int:
    """What rows did to an account."""
    return sum(
        row.amount * ((row.credit == account) - (row.debit == account))
        for row in rows
        if row.debit_seq
    )


class TestAdjustments:
    @given(histories)
    @settings(max_examples=100, deadline=None)
    async def test_conserve_money(self, history: list[LedgerCommand | None]) -> None:
        """What purses gained, the adjustment account and the outlet lost; no bound is broken."""
        bench = await play(history)
        adjusted = [row for row in bench.books.rows if row.kind == 13 and row.debit_seq]

        assert 0 == bench.total()
        assert moved(adjusted, adjustment_account(1)) == -sum(
            moved(adjusted, purse_account(wallet, purse)) for wallet in WALLETS for purse in (0, 1)
        )
        assert all(row.debit_after >= 0 for row in adjusted if row.debit != adjustment_account(1))
        assert all(
            row.credit_after <= CEILING for row in adjusted if row.credit != adjustment_account(1)
        )

    @given(histories)
    @settings(max_examples=50, deadline=None)
    async def test_move_money_once_however_often_they_are_sent(
        self, history: list[LedgerCommand | None]
    ) -> None:
        """The outbox sends again until it is answered: the first answer, and nothing moves."""
        asked = [one for one in history if one is not None and one.HasField("posting")]
        bench = await play(history)
        rows = list(bench.books.rows)
        for command in asked:
            for answer in await bench.post(command, command):
                stored = next(row for row in rows if row.key == command.reference.key)

                expected = {stored.outcome, Outcome.DUPLICATE_REFERENCE.number}
                assert answer.outcome in expected
        assert rows == bench.books.rows


class TestPages:
    @given(histories, st.integers(0, 5), st.integers(0, 5), st.integers(1, 7))
    @settings(max_examples=100, deadline=None)
    async def test_add_up_exactly(
        self, history: list[LedgerCommand | None], since: int, days: int, rows_max: int
    ) -> None:
        """Closing is opening plus movements, purse by purse, for any period and any page."""
        bench = await play(history)
        first = TODAY + timedelta(days=since)
        last = first + timedelta(days=days)
        for wallet in WALLETS:
            pages = await ask_pages(bench, wallet, first=first, last=last, rows_max=rows_max)
            held = {one.account: one.amount_minor for one in pages[0].opening}
            for row in (row for page in pages for row in page.movements):
                for account, amount, after_it in (
                    (row.debit, -row.amount_minor, row.debit_after),
                    (row.credit, row.amount_minor, row.credit_after),
                ):
                    if account in held:
                        held[account] += amount
                        assert after_it == held[account]

            assert held == {one.account: one.amount_minor for one in pages[0].closing}
