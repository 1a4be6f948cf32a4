"""The fixtures themselves: fresh databases, quickly, and nothing shared between two."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from libs.pg import open_pool

pytestmark = pytest.mark.postgres


async def test_are_empty(postgres_dsn: str) -> None:
    """A test starts with nothing."""
    async with open_pool(postgres_dsn, name="test") as pool:
        [row] = await pool.read(
            "SELECT count(*) FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )

    assert 0 == row[0]


@pytest.mark.skipif("LESKO_TEST_POSTGRES" in os.environ, reason="its role is the giver's choice")
async def test_are_owned_by_an_ordinary_role(postgres_dsn: str) -> None:
    """A test works with the rights that a service has."""
    async with open_pool(postgres_dsn, name="test") as pool:
        [row] = await pool.read("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")

    assert row[0] is False


async def test_are_migrated_and_separate(
    make_database: Callable[..., Awaitable[str]], tmp_path: Path
) -> None:
    """Two databases from one template have the same tables and not the same rows."""
    (tmp_path / "0001_coin.sql").write_text("CREATE TABLE shop.coin (id int PRIMARY KEY);")
    first, second = [await make_database({"shop": tmp_path}) for _ in range(2)]

    connection = await asyncpg.connect(first)
    await connection.execute("INSERT INTO shop.coin VALUES (1)")
    await connection.close()
    connection = await asyncpg.connect(second)
    count = await connection.fetchval("SELECT count(*) FROM shop.coin")
    await connection.close()

    assert 0 == count
