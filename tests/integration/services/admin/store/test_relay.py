"""Whose turn it is to relay the registry, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import pytest
from pydantic import SecretStr

from libs.pg import StoreUnavailable
from services.admin.store.relay import PostgresRelay

pytestmark = pytest.mark.postgres

PATIENCE_S = 10


@pytest.fixture
async def relays(postgres_dsn: str) -> AsyncIterator[tuple[PostgresRelay, PostgresRelay]]:
    both = PostgresRelay(SecretStr(postgres_dsn)), PostgresRelay(SecretStr(postgres_dsn))
    yield both
    for relay in both:
        await relay.close()


async def until_turn(relay: PostgresRelay, log: str) -> int:
    """Wait until it is this one's turn."""
    async with asyncio.timeout(PATIENCE_S):
        while (number := await relay.turn(log)) is None:  # noqa: ASYNC110 -- the server has no event
            await asyncio.sleep(0.02)
    return number


class TestTurn:
    async def test_is_one_process_after_the_other(
        self, relays: tuple[PostgresRelay, PostgresRelay]
    ) -> None:
        """The second waits until the first is gone."""
        first, second = relays

        assert (1, 1) == (await first.turn("log"), await first.turn("log"))
        assert None is await second.turn("log")
        await first.close()
        assert 1 == await until_turn(second, "log")
        assert None is await first.turn("log")

    async def test_is_of_one_log(self, relays: tuple[PostgresRelay, PostgresRelay]) -> None:
        """Processes on buses of their own do not wait for one another; a new log is a new turn."""
        first, second = relays

        assert (1, 1) == (await first.turn("a"), await second.turn("b"))
        assert 2 == await first.turn("c")
        assert 2 == await until_turn(second, "a")

    async def test_is_over_when_its_connection_is_lost(
        self, relays: tuple[PostgresRelay, PostgresRelay], postgres_dsn: str
    ) -> None:
        """The lock died with it: another may have it, and ours would be a new turn."""
        first, second = relays
        await first.turn("log")
        connection = await asyncpg.connect(postgres_dsn)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'admin.relay' AND datname = current_database()"
        )
        await connection.close()

        assert 1 == await until_turn(second, "log")
        with suppress(StoreUnavailable):  # Unless it has noticed already.
            assert None is await first.turn("log")
        assert None is await first.turn("log")
        await second.close()
        assert 2 == await until_turn(first, "log")
