"""The routes of wallets: what they take, what they give, and in which form."""

from collections.abc import AsyncIterator

import httpx
import pytest

from libs.fakes.admin import MemoryTransactions
from libs.fakes.wallets import wallet_desk
from services.admin.api.app import build_api
from services.admin.api.wallets import router

PERIOD = {"first": "2026-11-24", "last": "2026-11-24"}
BODY = {
    "purse": 0,
    "amount_minor": 500,
    "direction": "credit",
    "reason": "Selisih kas",
    "document": "BA-17",
}


@pytest.fixture
def transactions() -> MemoryTransactions:
    """Admin's tables."""
    return MemoryTransactions()


@pytest.fixture
async def client(transactions: MemoryTransactions) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody of finance at the routes of wallets."""
    transport = httpx.ASGITransport(build_api(wallet_desk(transactions), [router]))
    headers = {"authorization": "Bearer FINANCE"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://admin", headers=headers
    ) as opened:
        yield opened


class TestShow:
    async def test_tells_what_purses_hold(self, client: httpx.AsyncClient) -> None:
        """Purse, programme and balance in minor units."""
        answer = await client.get("/v1/wallets/7")

        assert 200 == answer.status_code
        assert (7, [{"purse": 0, "programme": 0, "balance_minor": 500}]) == (
            answer.json()["wallet"],
            answer.json()["purses"],
        )

    async def test_tells_what_the_ledger_said_of_adjustments(
        self, client: httpx.AsyncClient
    ) -> None:
        """Booked, refused with its outcome, not answered yet."""
        booked, refused, waits = (await client.get("/v1/wallets/7")).json()["adjustments"]

        assert "approved" in str(booked["answer"]).lower()
        assert "funds_short" in str(refused["answer"]).lower()
        assert waits["answer"] is None
        assert ("Selisih kas", "BA-17") == (refused["reason"], refused["document"])

    async def test_knows_no_other_wallet(self, client: httpx.AsyncClient) -> None:
        """404, and for what is no number of a wallet 422."""
        for wallet, status in ((8, 404), (0, 422), (1 << 48, 422), ("x", 422)):
            assert status == (await client.get(f"/v1/wallets/{wallet}")).status_code


class TestStatement:
    async def test_is_json_by_itself(self, client: httpx.AsyncClient) -> None:
        """Purses with opening and closing, movements with their reason."""
        answer = await client.get("/v1/wallets/7/statement", params=PERIOD)
        (purse,) = answer.json()["purses"]
        (movement,) = answer.json()["movements"]

        assert (0, 500) == (purse["opening_minor"], purse["closing_minor"])
        assert ("2026-11-24", 500, 500, "Selisih kas", "BA-17") == tuple(
            movement[name]
            for name in ("booked_on", "amount_minor", "balance_minor", "reason", "document")
        )

    @pytest.mark.parametrize(
        ("form", "media"), [("csv", "text/csv; charset=utf-8"), ("pdf", "application/pdf")]
    )
    async def test_is_a_file_where_asked(
        self, client: httpx.AsyncClient, form: str, media: str
    ) -> None:
        """With its type and a name that says whose and when."""
        params = {**PERIOD, "format": form}
        answer = await client.get("/v1/wallets/7/statement", params=params)

        assert b"1 movements" == answer.content
        assert media == answer.headers["content-type"]
        name = f"rekening-koran-7-2026-11-24-2026-11-24.{form}"
        assert name in answer.headers["content-disposition"]

    @pytest.mark.parametrize(
        ("params", "status"),
        [
            ({"first": "2026-11-24"}, 422),
            ({**PERIOD, "format": "doc"}, 422),
            ({**PERIOD, "last": "2026-02-30"}, 422),
            ({"first": "2026-11-25", "last": "2026-11-24"}, 422),
            ({**PERIOD, "more": "1"}, 422),
        ],
    )
    async def test_refuses_other_questions(
        self, client: httpx.AsyncClient, params: dict[str, str], status: int
    ) -> None:
        """No period, a format or a day that is none, a period that ends before it begins."""
        answer = await client.get("/v1/wallets/7/statement", params=params)

        assert status == answer.status_code

    async def test_is_not_for_administrators(self, client: httpx.AsyncClient) -> None:
        """What people bought is not everybody's business."""
        answer = await client.get(
            "/v1/wallets/7/statement",
            params=PERIOD,
            headers={"authorization": "Bearer ADMINISTRATOR"},
        )

        assert 403 == answer.status_code


class TestAdjust:
    async def test_waits_for_a_second_person(
        self, client: httpx.AsyncClient, transactions: MemoryTransactions
    ) -> None:
        """202 with the number of the proposal; nothing is sent to the ledger yet."""
        answer = await client.post("/v1/wallets/7/adjustments", json=BODY)

        assert (202, {"proposal": 1}) == (answer.status_code, answer.json())
        assert [] == transactions.commands
        act = transactions.proposals[1].act
        assert ("wallet/7", "Selisih kas", "BA-17") == (act.entity, act.reason, act.document)
        assert {"purse": 0, "amount_minor": 500, "direction": "credit"} == act.content

    @pytest.mark.parametrize(
        "wrong",
        [
            {"amount_minor": 0},
            {"amount_minor": -500},
            {"amount_minor": 10**12},
            {"amount_minor": "500"},
            {"amount_minor": 1.5},
            {"amount_minor": True},
            {"purse": 6},
            {"direction": "both"},
            {"reason": ""},
            {"document": ""},
            {"document": " "},
            {"reason": "Kartu 4111 1111 1111 1111 hilang"},
            {"document": "4111111111111111"},
            {"more": 1},
        ],
    )
    async def test_refuses_what_cannot_be(
        self,
        client: httpx.AsyncClient,
        transactions: MemoryTransactions,
        wrong: dict[str, object],
    ) -> None:
        """And proposes nothing."""
        answer = await client.post("/v1/wallets/7/adjustments", json={**BODY, **wrong})

        assert answer.status_code in (400, 422)
        assert {} == transactions.proposals
