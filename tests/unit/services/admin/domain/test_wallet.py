"""A manual adjustment names all that it needs, and becomes one balanced posting."""

from datetime import date
from typing import Any

import pytest

from libs.contracts.accounts import adjustment_account, purse_account
from services.admin.domain.act import Act
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.wallet import (
    AMOUNT_MAX,
    WALLET_MAX,
    Adjustment,
    adjustment_key,
    adjustment_record,
    read_adjustment,
)

DAY = date(2026, 11, 24)
CONTENT: dict[str, Any] = {"purse": 1, "amount_minor": 500, "direction": "debit"}


def an_act(entity: str = "wallet/7", document: str = "BA-17", **content: Any) -> Act:
    """An adjustment as the API hands it on."""
    return Act("wallet.adjust", entity, {**CONTENT, **content}, "Selisih kas", document)


class TestReadAdjustment:
    def test_reads_what_is_asked(self) -> None:
        """Wallet, purse, amount and direction."""
        assert Adjustment(7, 1, 500, is_credit=False) == read_adjustment(an_act())
        assert Adjustment(7, 0, 1, is_credit=True) == read_adjustment(
            an_act(purse=0, amount_minor=1, direction="credit")
        )

    @pytest.mark.parametrize(
        "content",
        [
            {"purse": -1},
            {"purse": 6},
            {"purse": "1"},
            {"amount_minor": 0},
            {"amount_minor": -5},
            {"amount_minor": AMOUNT_MAX + 1},
            {"amount_minor": None},
            {"direction": "both"},
        ],
    )
    def test_refuses_what_cannot_be(self, content: dict[str, Any]) -> None:
        """No such purse, no such amount, no direction."""
        found = read_adjustment(an_act(**content))

        assert isinstance(found, Refused)
        assert Refusal.NOT_ALLOWED is found.why

    @pytest.mark.parametrize("wallet", ["0", "-1", "x", "", "²", str(WALLET_MAX + 1)])
    def test_refuses_what_is_no_wallet(self, wallet: str) -> None:
        """A number of the ledger, above zero."""
        assert Refused(Refusal.UNKNOWN) == read_adjustment(an_act(f"wallet/{wallet}"))

    def test_refuses_one_without_a_document(self) -> None:
        """Money moves by hand only with a paper behind it."""
        assert isinstance(read_adjustment(an_act(document=" ")), Refused)


class TestAdjustmentRecord:
    @pytest.mark.parametrize("is_credit", [True, False])
    def test_is_one_balanced_posting(self, *, is_credit: bool) -> None:
        """Between the purse and the adjustment account of its partition, all of the amount."""
        adjustment = Adjustment(7, 1, 500, is_credit=is_credit)
        command = adjustment_record(adjustment, key=bytes(16), day=DAY, partition=3)
        (leg,) = command.posting.legs
        sides = (leg.debit, leg.credit) if is_credit else (leg.credit, leg.debit)

        assert (adjustment_account(3), purse_account(7, 1)) == sides
        assert (500, 500) == (leg.amount_minor, command.reference.amount_minor)
        assert [purse_account(7, 1)] == list(command.accounts)

    def test_has_a_key_of_its_own(self) -> None:
        """Two commands on one day never meet; one command is always the same."""
        keys = {adjustment_key(DAY, bytes([number]) * 16) for number in range(9)}

        assert 9 == len(keys)
        assert adjustment_key(DAY, bytes(16)) == adjustment_key(DAY, bytes(16))
