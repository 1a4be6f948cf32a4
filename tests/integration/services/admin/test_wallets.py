"""Adjustments and statements over the ledger's topic: once, within bounds, with their reason."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from libs.contracts.transfers import TransferKind
from libs.outcome import Outcome
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Caller, Role
from services.admin.domain.statement import PurseStatement, Statement
from services.admin.handlers.read_statement import WalletNow
from tests.integration.services.admin.approvals import MakeDatabase
from tests.integration.services.admin.wallet_bench import (
    TODAY,
    WALLET,
    WalletBench,
    open_wallet_bench,
)

pytestmark = pytest.mark.postgres


@pytest.fixture
async def bench(make_database: MakeDatabase) -> AsyncIterator[WalletBench]:
    """A wallet whose ledger is served."""
    async with open_wallet_bench(make_database) as opened:
        yield opened


@pytest.fixture
async def people(bench: WalletBench) -> tuple[Caller, Caller]:
    """One who proposes adjustments and one who approves them."""
    return (
        await bench.person("ani", Role.FINANCE),
        await bench.person("budi", Role.APPROVER),
    )


async def now(bench: WalletBench, caller: Caller) -> dict[int, int]:
    """What each purse holds."""
    found = await bench.read.now(caller, WALLET)
    assert isinstance(found, WalletNow)
    return {one.purse: one.closing for one in found.purses}


async def statement(bench: WalletBench, caller: Caller) -> Statement:
    """The statement of today."""
    found = await bench.read.statement(caller, WALLET, first=TODAY, last=TODAY)
    assert isinstance(found, Statement)
    return found


class TestAdjust:
    async def test_moves_money_once_however_often_it_is_sent(
        self, bench: WalletBench, people: tuple[Caller, Caller]
    ) -> None:
        """Two people, one posting, one answer again and again."""
        await bench.adjust(*people, direction="credit", amount_minor=300)
        await bench.adjust(*people, direction="debit", amount_minor=100, purse=1)

        for _ in range(3):
            assert [Outcome.APPROVED] * 2 == await bench.send()
        assert {0: 1_300, 1: 400} == await now(bench, people[0])

    @pytest.mark.parametrize(
        ("content", "outcome"),
        [
            ({"direction": "debit", "amount_minor": 1_001}, Outcome.FUNDS_SHORT),
            ({"direction": "credit", "amount_minor": 1_001}, Outcome.CEILING),
            ({"direction": "credit", "amount_minor": 1, "purse": 2}, Outcome.COULD_NOT_PROCESS),
        ],
    )
    async def test_keeps_within_the_bounds(
        self,
        bench: WalletBench,
        people: tuple[Caller, Caller],
        content: dict[str, Any],
        outcome: Outcome,
    ) -> None:
        """Below the floor, above the ceiling, no such purse: the ledger's word, and no money."""
        await bench.adjust(*people, **content)

        assert [outcome] == await bench.send()
        assert [outcome] == await bench.send()
        assert {0: 1_000, 1: 500} == await now(bench, people[0])

    async def test_stands_in_audit_and_statement_with_its_reason(
        self, bench: WalletBench, people: tuple[Caller, Caller]
    ) -> None:
        """Why, and the paper behind it; beside the movement and for ever in the chain."""
        await bench.adjust(*people, direction="credit", amount_minor=300)
        await bench.send()
        found = await statement(bench, people[0])
        *_, last = found.entries
        rows = await bench.audit.latest(entity=f"wallet/{WALLET}", login="", before=0, rows_max=9)

        assert (TransferKind.ADJUSTMENT, 300, "Selisih kas", "BA-17") == (
            last.kind,
            last.amount,
            last.reason,
            last.document,
        )
        (row,) = rows
        assert ("ani", "proposed") == (row.login, row.result)
        assert '"document":"BA-17"' in row.content
        assert '"reason":"Selisih kas"' in row.content


class TestStatement:
    async def test_adds_up_from_opening_to_closing(
        self, bench: WalletBench, people: tuple[Caller, Caller]
    ) -> None:
        """Of a day and of the day after it, purse by purse."""
        await bench.adjust(*people, direction="debit", amount_minor=100)
        await bench.send()
        today = await statement(bench, people[0])
        tomorrow = await bench.read.statement(
            people[0], WALLET, first=TODAY + timedelta(days=1), last=TODAY + timedelta(days=9)
        )

        assert (
            PurseStatement(0, 0, 0, 100, 1_000, 900),
            PurseStatement(1, 3, 0, 0, 500, 500),
        ) == today.purses
        assert isinstance(tomorrow, Statement)
        assert [(900, 900), (500, 500)] == [(p.opening, p.closing) for p in tomorrow.purses]

    async def test_is_given_as_csv_and_pdf(
        self, bench: WalletBench, people: tuple[Caller, Caller]
    ) -> None:
        """The same movements as files."""
        await bench.adjust(*people, direction="debit", amount_minor=100)
        await bench.send()
        for form, head in (("csv", b"\xef\xbb\xbftanggal;"), ("pdf", b"%PDF-")):
            file = await bench.read.file(people[0], WALLET, first=TODAY, last=TODAY, form=form)

            assert isinstance(file, bytes)
            assert file.startswith(head)
            if form == "csv":
                text = io.StringIO(file.decode("utf-8-sig"), newline="")
                rows = list(csv.DictReader(text, delimiter=";"))
                assert ["0,00", "0,00", "10,00", "5,00", "9,00", "9,00", "5,00"] == [
                    row["saldo"] for row in rows
                ]

    async def test_is_not_given_of_an_unknown_wallet(
        self, bench: WalletBench, people: tuple[Caller, Caller]
    ) -> None:
        """The ledger's partition of it answers that it knows no purse."""
        for wallet in range(2, 6):
            found = await bench.read.now(people[0], wallet)

            assert isinstance(found, Refused)
            assert Refusal.UNKNOWN is found.why
