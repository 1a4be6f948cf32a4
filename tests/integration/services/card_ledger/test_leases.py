"""Leases on their one connection, whatever happens to the server behind it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from libs.pg import StoreUnavailable
from services.card_ledger.store.leases import PostgresLeases

pytestmark = pytest.mark.postgres

MakeDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]
END = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name = 'card_ledger.leases' AND datname = current_database()
"""
AT_ONCE = 20
TIMES = 40
BOUND_S = 30


@pytest.fixture
async def dsn(make_database: MakeDatabase) -> str:
    """Give books of two partitions."""
    made = await make_database({"card_ledger": Path("services/card_ledger/migrations")})
    connection = await asyncpg.connect(made)
    await connection.execute("INSERT INTO card_ledger.owner (partition) VALUES (0), (1)")
    await connection.close()
    return made


async def test_trouble_is_told_in_our_words_and_passes(dsn: str) -> None:
    """The server ends their session again and again, while many ask: nothing else is raised."""
    leases = PostgresLeases(SecretStr(dsn), lease_ms=60_000)
    admin = await asyncpg.connect(dsn)
    faults = 0
    for _ in range(TIMES):
        asked = [asyncio.ensure_future(leases.holders()) for _ in range(AT_ONCE)]
        await admin.execute(END)
        found = await asyncio.gather(*asked, return_exceptions=True)
        wrong = [one for one in found if not isinstance(one, list | StoreUnavailable)]
        assert [] == wrong
        faults += sum(isinstance(one, StoreUnavailable) for one in found)
    taken = list[object]()
    async with asyncio.timeout(BOUND_S):
        while not taken:
            with suppress(StoreUnavailable):
                taken = list(await leases.take("the test"))
            await asyncio.sleep(0.01)
    await leases.close()
    await admin.close()

    assert faults
    assert 2 == len(taken)
