"""The pool against a real server: what each kind of trouble becomes, and that it goes on after."""

import asyncio

import asyncpg
import pytest
from pydantic import SecretStr

from libs.pg import CommitUnknown, Pool, StoreBroken, StoreConflict, StoreUnavailable, open_pool

pytestmark = pytest.mark.postgres

SELF_TERMINATION = "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(5)"
# Runs inside the COMMIT, as the last thing before it is done.
DIES_AT_COMMIT = """
    CREATE TABLE coin (id int);
    CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(5); RETURN NULL; END';
    CREATE CONSTRAINT TRIGGER die AFTER INSERT ON coin
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die();
"""


async def run(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(sql)
    await connection.close()


async def insert(pool: Pool, number: int, then: str | Exception = "SELECT 1") -> None:
    """Insert in a transaction, then run a statement in it or raise."""
    async with pool.transaction() as connection:
        await connection.execute("INSERT INTO coin VALUES ($1)", number)
        if isinstance(then, Exception):
            raise then
        await connection.execute(then)


async def test_sets_what_was_asked_for(postgres_dsn: str) -> None:
    """Name, limits and planner stand in the session, from a DSN that is a secret."""
    async with open_pool(
        SecretStr(postgres_dsn), name="lesko test", statement_timeout_ms=1234, seqscan=False
    ) as pool:
        [row] = await pool.read(
            "SELECT current_setting('application_name'), current_setting('statement_timeout'), "
            "current_setting('enable_seqscan'), current_setting('jit')"
        )

    assert ("lesko test", "1234ms", "off", "off") == tuple(row)


async def test_opens_while_the_server_is_away() -> None:
    """Opening connects to nothing; the trouble is told by the probe and by each use."""
    async with open_pool("postgresql://lesko:hidden@127.0.0.1:1/lesko", name="test") as pool:
        problem = await pool.write_problem()
        with pytest.raises(StoreUnavailable) as caught:
            await pool.write("SELECT 1")

    assert problem
    assert "hidden" not in problem
    assert StoreUnavailable is type(caught.value)  # Nothing was sent, so nothing is unknown.


async def test_a_wrong_password_is_not_retried(postgres_dsn: str) -> None:
    """It is broken until somebody changes the settings, and the text shows no password."""
    user = postgres_dsn.partition("//")[2].partition(":")[0]
    place = postgres_dsn.partition("@")[2]
    async with open_pool(f"postgresql://{user}:guess@{place}", name="test") as pool:
        with pytest.raises(StoreBroken) as caught:
            await pool.read("SELECT 1")

    assert "guess" not in str(caught.value)


async def test_a_connection_lost_in_a_read_is_unavailable(postgres_dsn: str) -> None:
    """Nothing can have been committed; the next read has a new connection."""
    async with open_pool(postgres_dsn, name="test", size=1) as pool:
        with pytest.raises(StoreUnavailable) as caught:
            await pool.read(SELF_TERMINATION)

        assert StoreUnavailable is type(caught.value)
        assert [(1,)] == [tuple(row) for row in await pool.read("SELECT 1")]


async def test_a_connection_lost_in_a_write_is_unknown(postgres_dsn: str) -> None:
    """A statement that commits by itself may have done so."""
    async with open_pool(postgres_dsn, name="test", size=1) as pool:
        with pytest.raises(CommitUnknown):
            await pool.write(SELF_TERMINATION)

        assert await pool.write_problem() is None


async def test_a_connection_lost_before_the_commit_is_unavailable(postgres_dsn: str) -> None:
    """A transaction that never said COMMIT was not committed."""
    await run(postgres_dsn, "CREATE TABLE coin (id int)")
    async with open_pool(postgres_dsn, name="test", size=1) as pool:
        with pytest.raises(StoreUnavailable) as caught:
            await insert(pool, 1, SELF_TERMINATION)

        assert StoreUnavailable is type(caught.value)
        assert [] == await pool.read("SELECT id FROM coin")


async def test_a_connection_lost_at_the_commit_is_unknown(postgres_dsn: str) -> None:
    """The COMMIT was sent and its answer never came."""
    await run(postgres_dsn, DIES_AT_COMMIT)
    async with open_pool(postgres_dsn, name="test", size=1) as pool:
        with pytest.raises(CommitUnknown):
            await insert(pool, 1)


async def test_a_clean_exit_commits_and_an_exception_does_not(postgres_dsn: str) -> None:
    """Our own exceptions pass through untouched, and roll back."""
    await run(postgres_dsn, "CREATE TABLE coin (id int)")
    async with open_pool(postgres_dsn, name="test") as pool:
        await insert(pool, 1)
        with pytest.raises(LookupError):
            await insert(pool, 2, LookupError())

        assert [1] == [row["id"] for row in await pool.read("SELECT id FROM coin")]


async def test_a_refused_row_names_the_constraint_and_no_value(postgres_dsn: str) -> None:
    """Neither the text nor what it is chained to repeats what was in the row."""
    await run(postgres_dsn, "CREATE TABLE coin (id text CONSTRAINT once UNIQUE)")
    async with open_pool(postgres_dsn, name="test") as pool:
        await pool.write("INSERT INTO coin VALUES ('canary')")
        with pytest.raises(StoreConflict) as caught:
            await pool.write("INSERT INTO coin VALUES ('canary')")

    assert ("23505", "once") == (caught.value.sqlstate, caught.value.constraint)
    assert "canary" not in str(caught.value)
    assert caught.value.__suppress_context__


async def test_a_value_that_does_not_fit_is_not_repeated(postgres_dsn: str) -> None:
    """Neither the server's text nor the driver's is passed on."""
    async with open_pool(postgres_dsn, name="test") as pool:
        for sql, args in (("SELECT 'canary'::int", ()), ("SELECT $1::int", ("canary",))):
            with pytest.raises(StoreBroken) as caught:
                await pool.read(sql, *args)
            assert "canary" not in str(caught.value)


async def test_the_drivers_exception_can_be_caught_inside(postgres_dsn: str) -> None:
    """A store that expects a repeat sees it before it is translated."""
    await run(postgres_dsn, "CREATE TABLE coin (id int UNIQUE); INSERT INTO coin VALUES (1)")
    async with open_pool(postgres_dsn, name="test") as pool, pool.connection(writes=True) as lent:
        with pytest.raises(asyncpg.UniqueViolationError):
            await lent.execute("INSERT INTO coin VALUES (1)")


async def test_a_statement_that_takes_too_long_was_not_done(postgres_dsn: str) -> None:
    """The server stops it and rolls it back, so a write is not unknown."""
    async with open_pool(postgres_dsn, name="test", statement_timeout_ms=50) as pool:
        with pytest.raises(StoreUnavailable) as caught:
            await pool.write("SELECT pg_sleep(5)")

    assert StoreUnavailable is type(caught.value)


async def test_a_busy_pool_is_unavailable(postgres_dsn: str) -> None:
    """Waiting for a connection has its limit."""
    async with (
        open_pool(postgres_dsn, name="test", size=1, acquire_timeout_ms=50) as pool,
        pool.connection(),
    ):
        with pytest.raises(StoreUnavailable) as caught:
            await pool.write("SELECT 1")

    assert StoreUnavailable is type(caught.value)


async def set_read_only(dsn: str, value: str) -> None:
    """Sessions of before keep what they were opened with, as on a server that was demoted."""
    name = dsn.rpartition("/")[2].partition("?")[0]
    connection = await asyncpg.connect(dsn)
    await connection.execute("SET default_transaction_read_only = off")
    await connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {value}')
    await connection.close()


async def test_a_read_only_server_is_left(postgres_dsn: str) -> None:
    """The write is refused and was not done; the next one meets the server that can write."""
    await set_read_only(postgres_dsn, "on")
    async with open_pool(postgres_dsn, name="test", size=1) as pool:
        with pytest.raises(StoreUnavailable, match="25006") as caught:
            await pool.write("CREATE TABLE coin (id int)")
        await set_read_only(postgres_dsn, "off")

        assert StoreUnavailable is type(caught.value)
        await pool.write("CREATE TABLE coin (id int)")


async def test_the_probe_leaves_a_read_only_server_too(postgres_dsn: str) -> None:
    """It says why in one sentence, and does not stay with the old server."""
    await set_read_only(postgres_dsn, "on")
    async with open_pool(postgres_dsn, name="test", size=1) as pool:
        assert "PostgreSQL is read-only." == await pool.write_problem()
        await set_read_only(postgres_dsn, "off")

        await pool.write("CREATE TABLE coin (id int)")
        assert await pool.write_problem() is None


async def test_a_cancelled_block_gives_its_connection_back(postgres_dsn: str) -> None:
    """Cancellation passes through, and the pool of one is usable again."""
    async with open_pool(postgres_dsn, name="test", size=1) as pool:
        task = asyncio.create_task(pool.read("SELECT pg_sleep(30)"))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert 1 == len(await pool.read("SELECT 1"))
