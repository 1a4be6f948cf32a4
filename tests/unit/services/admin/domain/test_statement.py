"""A statement adds up row by row, and is not given where it does not."""

from datetime import date
from typing import Any

import pytest

from libs.clock import day_number
from libs.contracts.accounts import outlet_account, purse_account
from libs.contracts.lesko.v1.card_ledger_pb2 import PurseAmount, Transfer, WalletMovements
from libs.contracts.transfers import rrn_of
from services.admin.domain.statement import (
    Note,
    PurseStatement,
    StatementDiffers,
    StatementFold,
)

DAY = date(2026, 11, 24)
OWN, RICE, SHOP = purse_account(7), purse_account(7, 1), outlet_account(1, 3)


def a_row(number: int, debit: int, credit: int, amount: int, *after: int, **more: Any) -> Transfer:
    """A movement with the balances of debit and credit after it."""
    return Transfer(
        id=number, debit=debit, credit=credit, amount_minor=amount, debit_after=after[0],
        credit_after=after[1], booked_on=day_number(DAY), kind=1, outlet="BUMA00000000001",
        terminal="LSK00001", stan=5, key=bytes([number]) * 16, **more,
    )  # fmt: skip


def amounts(own: int, rice: int) -> list[PurseAmount]:
    """Balances of the two purses."""
    return [
        PurseAmount(account=OWN, amount_minor=own),
        PurseAmount(account=RICE, programme=1, amount_minor=rice),
    ]


FIRST = WalletMovements(
    wallet=7,
    opening=amounts(1_000, 500),
    closing=amounts(930, 400),
    movements=[a_row(1, RICE, SHOP, 100, 400, 100), a_row(2, OWN, SHOP, 100, 900, 200)],
    has_more=True,
)
SECOND = WalletMovements(wallet=7, movements=[a_row(3, SHOP, OWN, 30, 170, 930)])


def a_fold(*pages: WalletMovements) -> StatementFold:
    """The pages added up."""
    fold = StatementFold(7, DAY, DAY)
    for page in pages:
        fold.add(page)
    return fold


class TestStatement:
    def test_closes_at_opening_plus_movements(self) -> None:
        """Purse by purse, over all pages."""
        statement = a_fold(FIRST, SECOND).statement({})

        assert (
            PurseStatement(0, 0, 1_000, 100, 30, 930),
            PurseStatement(1, 1, 500, 100, 0, 400),
        ) == statement.purses
        assert [-100, -100, 30] == [entry.amount for entry in statement.entries]
        assert [400, 900, 930] == [entry.balance for entry in statement.entries]

    def test_shows_a_row_between_two_purses_on_both(self) -> None:
        """Money that moved within the wallet left one purse and came to the other."""
        page = WalletMovements(
            opening=amounts(1_000, 500),
            closing=amounts(1_100, 400),
            movements=[a_row(1, RICE, OWN, 100, 400, 1_100)],
        )
        entries = a_fold(page).statement({}).entries

        assert [(1, -100), (0, 100)] == [(entry.purse, entry.amount) for entry in entries]

    def test_shows_the_number_that_the_receipt_has(self) -> None:
        """DE37 of the terminal, else the ledger's own."""
        own = a_row(2, OWN, SHOP, 100, 900, 200)
        sent = a_row(3, OWN, SHOP, 100, 800, 300, rrn_sent="000000000042")
        page = WalletMovements(
            opening=amounts(1_000, 0), closing=amounts(800, 0), movements=[own, sent]
        )

        assert [rrn_of(2), "000000000042"] == [
            entry.rrn for entry in a_fold(page).statement({}).entries
        ]

    def test_shows_why_people_adjusted(self) -> None:
        """Beside the row with the key of their command, and beside no other."""
        notes = {bytes([2]) * 16: Note("Selisih kas", "BA-17"), b"x" * 16: Note("x", "y")}
        entries = a_fold(FIRST, SECOND).statement(notes).entries

        assert [("", ""), ("Selisih kas", "BA-17"), ("", "")] == [
            (entry.reason, entry.document) for entry in entries
        ]

    def test_knows_a_purse_that_was_opened_meanwhile(self) -> None:
        """It appears on a later page only, and began with nothing."""
        late = purse_account(7, 2)
        page = WalletMovements(movements=[a_row(3, SHOP, late, 30, 170, 30)])

        assert PurseStatement(2, 0, 0, 0, 30, 30) == a_fold(FIRST, page).statement({}).purses[2]

    def test_is_refused_where_a_row_does_not_follow(self) -> None:
        """A page is missing, or the ledger told something that is not so."""
        with pytest.raises(StatementDiffers, match="row 3"):
            a_fold(FIRST, WalletMovements(movements=[a_row(3, SHOP, OWN, 31, 170, 930)]))

    def test_is_refused_where_the_closing_does_not_follow(self) -> None:
        """On a single page everything is as of one moment, so it must fit exactly."""
        page = WalletMovements()
        page.CopyFrom(FIRST)
        page.has_more = False

        with pytest.raises(StatementDiffers, match="closing"):
            a_fold(page)

    def test_knows_no_wallet_without_purses(self) -> None:
        """The ledger tells of no balance at all."""
        assert not a_fold(WalletMovements(wallet=7)).is_known
        assert a_fold(FIRST).is_known
