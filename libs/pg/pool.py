"""A pool of connections that speaks our faults and lets go of a server that cannot write."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from pydantic import SecretStr

from libs.outcome import Fault
from libs.pg.faults import DRIVER_TROUBLE, StoreUnavailable, translate

__all__ = ["Connection", "Pool", "open_pool", "plain_dsn"]

Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"

_CLOSE_SECONDS: Final = 5
# A lost network is noticed by the client this much after the server should have given up.
_ANSWER_GRACE_MS: Final = 2000

# Flushes a real (empty) WAL record, so it fails where a payment would; CASE is lazy here, so a
# standby is not asked to write.
_PROBE: Final = """
    SELECT CASE WHEN current_setting('transaction_read_only') = 'off'
        THEN pg_logical_emit_message(true, 'lesko.probe', '') IS NOT NULL ELSE false END
"""


class Pool:
    """Connections to one database; made by ``open_pool``."""

    def __init__(self, driver: "asyncpg.Pool[asyncpg.Record]", *, acquire_timeout_ms: int) -> None:
        self._driver = driver
        self._acquire_s = acquire_timeout_ms / 1000

    async def read(self, sql: str, *args: object) -> list[asyncpg.Record]:
        """Run a statement that changes nothing; raises StoreUnavailable or StoreBroken."""
        async with self.connection() as connection:
            return await connection.fetch(sql, *args)

    async def write(self, sql: str, *args: object) -> list[asyncpg.Record]:
        """Run one statement that commits by itself; raises CommitUnknown if its answer is lost."""
        async with self.connection(writes=True) as connection:
            return await connection.fetch(sql, *args)

    @asynccontextmanager
    async def connection(self, *, writes: bool = False) -> AsyncIterator[Connection]:
        """Lend a connection, translating the driver's exceptions when the block is left.

        With ``writes`` the statements in the block commit by themselves: an answer that is lost
        becomes CommitUnknown. Inside the block the driver's own exceptions can still be caught.
        Leave no session state behind: nothing resets it.
        """
        lent = await self._acquire()
        try:
            yield lent
        except BaseException as error:
            fault = translate(error, may_have_committed=writes)
            if fault is None:
                raise
            await self._let_go(fault)
            raise fault from None  # The driver's text may repeat values of rows.
        finally:
            await self._release(lent)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection inside a transaction: a clean exit commits, any exception rolls back.

        Trouble before the COMMIT is StoreUnavailable; an answer lost at the COMMIT is
        CommitUnknown.
        """
        lent = await self._acquire()
        is_committing = False
        try:
            async with lent.transaction():
                yield lent
                is_committing = True
        except BaseException as error:
            fault = translate(error, may_have_committed=is_committing)
            if fault is None:
                raise
            await self._let_go(fault)
            raise fault from None  # As above.
        finally:
            await self._release(lent)

    async def write_problem(self) -> str | None:
        """Return why the database cannot take a write now, as one sentence; None if it can."""
        try:
            rows = await self.write(_PROBE)
        except Fault as fault:
            return str(fault)
        if rows[0][0]:
            return None
        await self._driver.expire_connections()  # The next ones may reach a promoted server.
        return "PostgreSQL is read-only."

    async def _acquire(self) -> Connection:
        try:
            return await self._driver.acquire(timeout=self._acquire_s)
        except BaseException as error:
            fault = translate(error, may_have_committed=False)
            if fault is None:
                raise
            raise fault from None

    async def _release(self, lent: Connection) -> None:
        try:
            await self._driver.release(lent)
        except DRIVER_TROUBLE:
            # The driver has closed the connection; what was committed stands, and the block
            # has raised its own fault if it had one.
            return

    async def _let_go(self, fault: Fault) -> None:
        """Replace all connections when the server they lead to is no good any more."""
        if isinstance(fault, StoreUnavailable) and fault.concerns_all:
            await self._driver.expire_connections()


@asynccontextmanager
async def open_pool(
    dsn: str | SecretStr,
    *,
    name: str,
    size: int = 4,
    statement_timeout_ms: int = 5000,
    idle_in_transaction_ms: int = 2000,
    connect_timeout_ms: int = 2000,
    acquire_timeout_ms: int = 5000,
    seqscan: bool = True,
) -> AsyncIterator[Pool]:
    """Open a pool of at most ``size`` connections, made when first needed; leaving closes it.

    Opening connects to nothing, so a process starts while PostgreSQL is away. ``name`` is shown
    in pg_stat_activity. ``seqscan=False`` keeps new, empty day partitions from getting a cached
    plan that reads them whole.
    """
    settings = {
        "application_name": name,
        "statement_timeout": str(statement_timeout_ms),
        "idle_in_transaction_session_timeout": str(idle_in_transaction_ms),
        "jit": "off",
        "enable_seqscan": "on" if seqscan else "off",
        "timezone": "UTC",
    }
    driver = asyncpg.create_pool(
        plain_dsn(dsn),
        min_size=0,
        max_size=size,
        timeout=connect_timeout_ms / 1000,
        command_timeout=(statement_timeout_ms + _ANSWER_GRACE_MS) / 1000,
        server_settings=settings,
        reset=_keep_session,
    )
    await driver
    try:
        yield Pool(driver, acquire_timeout_ms=acquire_timeout_ms)
    finally:
        await _close(driver)


def plain_dsn(dsn: str | SecretStr) -> str:
    """Return the DSN as the driver needs it; never print it."""
    return dsn.get_secret_value() if isinstance(dsn, SecretStr) else dsn


async def _keep_session(_: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Save the round trip of a reset: our statements leave no session state."""


async def _close(driver: "asyncpg.Pool[asyncpg.Record]") -> None:
    try:
        await asyncio.wait_for(driver.close(), _CLOSE_SECONDS)
    except TimeoutError:
        driver.terminate()
