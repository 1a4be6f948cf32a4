"""``lesko ledger verify``: what a person and a machine read, and what the exit code says."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from libs.fakes.ledger import a_purchase, a_reference
from libs.fakes.postgres_ledger import open_real_ledger
from services.card_ledger.handlers.open_accounts import Opening

pytestmark = pytest.mark.postgres

REPOSITORY = Path(__file__).parents[4]
WAIT_S = 60
NOON_MS = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)
FINDING = (
    "partition 1 wallet 1 on 2026-11-24: limit usage says 1 sen in 1 purchases,"
    " its rows say 100 sen in 1 purchases"
)

MakeDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]


async def verify(dsn: str, *words: str) -> tuple[int, str]:
    """Run the command; return its exit code and what it says, lines joined."""
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "services.cli", "ledger", "verify", *words],
        cwd=REPOSITORY,
        env={**os.environ, "LESKO_CARD_LEDGER__POSTGRES__DSN": dsn, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    return ended.returncode, " ".join(ended.stdout.split())


@pytest.fixture
async def dsn(make_database: MakeDatabase) -> str:
    """Books with one purchase, projected, in which somebody has made a limit wider by hand."""
    made = await make_database({"card_ledger": Path("services/card_ledger/migrations")})
    async with open_real_ledger(made, now_ms=NOON_MS) as ledger:
        owner = await ledger.own()
        await ledger.open(owner, [Opening(1, 0, 0, None, None, 100_000)])
        await owner.post(a_purchase(a_reference(amount=100)))
        await ledger.upkeep.project(range(4), rows_max=100)
        await ledger.pool.write("UPDATE card_ledger.limit_usage SET amount = 1")
    return made


class TestLedgerVerify:
    async def test_names_an_edited_limit(self, dsn: str) -> None:
        """In plain words and as JSON, each with exit code 1."""
        (plain_code, plain), (json_code, said) = await asyncio.gather(
            verify(dsn), verify(dsn, "--json")
        )

        assert (1, 1) == (plain_code, json_code)
        assert f"{FINDING} The books are NOT clean: 1 findings." in plain
        assert (False, [FINDING]) == (json.loads(said)["clean"], json.loads(said)["findings"])
