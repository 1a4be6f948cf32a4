"""What tests of every ring may ask for: a real PostgreSQL with fresh databases, a real Kafka."""

import asyncio
import hashlib
import itertools
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from libs.bus.kafka.local_broker import LocalBroker, LocalBrokerMissing, start_broker
from libs.pg import migrate
from libs.pg.place import Place
from libs.pg.postmaster import find_running, stop
from libs.pg.server import start_server
from tests import kafka
from tests.directories import STALE_SECONDS, open_directory, remove_stale

REPOSITORY = Path(__file__).parent.parent
DIRECTORY_PREFIX = "lesko-test-postgres-"
DATABASE_PREFIX = "lesko_test_"

Migrations = Mapping[str, Path | str]
MakeDatabase = Callable[..., Awaitable[str]]
OpenDirectory = Callable[[], AbstractContextManager[Path]]
StartOwnBroker = Callable[[], AbstractAsyncContextManager[LocalBroker]]


class PostgresServer:
    """A server on which tests make databases; the ones made here are dropped again."""

    def __init__(self, admin_dsn: str, owner_dsn: str) -> None:
        self.admin_dsn = admin_dsn
        self._owner_dsn = owner_dsn
        self._templates: dict[bytes, str] = {}
        self._run = f"{DATABASE_PREFIX}{int(time.time())}_{secrets.token_hex(3)}"
        self._numbers = itertools.count(1)

    def dsn_of(self, database: str) -> str:
        """Return the DSN of a database for the role that owns it."""
        return urlunsplit(urlsplit(self._owner_dsn)._replace(path=f"/{database}"))

    async def create(self, migrations: Migrations) -> str:
        """Create a database with these schemas; return its name. Copies a template made once."""
        digest = hashlib.sha256()
        directories = {schema: REPOSITORY / path for schema, path in migrations.items()}
        for schema, directory in directories.items():
            digest.update(schema.encode())
            for file in sorted(directory.glob("*.sql")):
                digest.update(file.name.encode() + file.read_bytes())
        template = self._templates.get(digest.digest(), "template0")
        if directories and template == "template0":
            template = await self._copy("template0")
            for schema, directory in directories.items():
                await migrate(self.dsn_of(template), schema, directory)
            self._templates[digest.digest()] = template
        return await self._copy(template)

    async def drop(self, *databases: str) -> None:
        """Drop databases, whoever still uses them."""
        for database in databases:
            await self._tell(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
            for service in ("admin", "card_ledger", "authorization"):  # See own_roles_of.
                await self._tell(f'DROP ROLE IF EXISTS "{database}_{service}"')

    async def drop_templates(self) -> None:
        """Drop what this run has copied from."""
        await self.drop(*self._templates.values())

    async def drop_stale(self) -> None:
        """Drop what killed runs left on a server that was given to us, a day later."""
        connection = await asyncpg.connect(self.admin_dsn, timeout=10)
        rows = await connection.fetch(
            "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", DATABASE_PREFIX
        )
        await connection.close()
        for (database,) in rows:
            made_at = database.removeprefix(DATABASE_PREFIX).partition("_")[0]
            if made_at.isdecimal() and time.time() - int(made_at) > STALE_SECONDS:
                await self.drop(database)

    async def _copy(self, template: str) -> str:
        name = f"{self._run}_{next(self._numbers)}"
        owner = urlsplit(self._owner_dsn).username
        await self._tell(f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER "{owner}"')
        return name

    async def _tell(self, sql: str) -> None:
        connection = await asyncpg.connect(self.admin_dsn, timeout=10)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


def own_roles_of(dsn: str) -> dict[str, str]:
    """Return the setting that gives the services roles of this database's own.

    Roles are the whole server's, and another test's must not have its passwords changed.
    """
    return {"LESKO_POSTGRES__ROLE_PREFIX": urlsplit(dsn).path.lstrip("/")}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Give a real PostgreSQL: the one in LESKO_TEST_POSTGRES, else one of our own."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        if dsn := os.environ.get("LESKO_TEST_POSTGRES"):
            server = PostgresServer(dsn, dsn)
            runner.run(server.drop_stale())
            yield server
            runner.run(server.drop_templates())
            return
        remove_stale(DIRECTORY_PREFIX, lambda root: runner.run(_end_postgres(root)))
        with open_directory(DIRECTORY_PREFIX) as root:
            running = start_server(root, shared_buffers_mb=64, stop_seconds=5)
            own = runner.run(running.__aenter__())
            yield PostgresServer(own.admin_dsn, own.dsn)
            runner.run(running.__aexit__(None, None, None))


@pytest.fixture(scope="session", name="open_directory")
def open_directory_() -> OpenDirectory:
    """Give a maker of directories that every user can reach and that are removed afterwards.

    Also when this run is killed: then by the next run's start.
    """
    return partial(open_directory, DIRECTORY_PREFIX)


@pytest.fixture
async def make_database(postgres_server: PostgresServer) -> AsyncIterator[MakeDatabase]:
    """Give ``make_database({"schema": directory}) -> dsn``: fresh, migrated, dropped afterwards."""
    made: list[str] = []

    async def make(migrations: Migrations | None = None) -> str:
        made.append(await postgres_server.create(migrations or {}))
        return postgres_server.dsn_of(made[-1])

    yield make
    await postgres_server.drop(*made)


@pytest.fixture
async def postgres_dsn(make_database: MakeDatabase) -> str:
    """Give a fresh empty database."""
    return await make_database()


@pytest.fixture(scope="session")
def kafka_broker() -> Iterator[str]:
    """Give the address of the run's one Kafka; tests fill it with topics of their own names.

    Those that need it are left out where there is none, and the runner tells why.
    """
    with kafka.hold_kafka() as found:
        if found.bootstrap is None:
            give_up = pytest.fail if found.is_broken else pytest.skip
            give_up(f"no Kafka: {found.what}")
        yield found.bootstrap


@pytest.fixture
def start_own_broker() -> StartOwnBroker:
    """Give a maker of brokers, ``async with make() as broker``, for tests that hurt theirs."""

    @asynccontextmanager
    async def start() -> AsyncIterator[LocalBroker]:
        with open_directory(kafka.DIRECTORY_PREFIX) as root:
            running = start_broker(root, stop_seconds=5)
            try:
                broker = await running.__aenter__()
            except LocalBrokerMissing as fault:
                pytest.skip(f"no Kafka: {fault}")
            try:
                yield broker
            finally:
                await running.__aexit__(None, None, None)

    return start


async def _end_postgres(root: Path) -> None:
    if left := find_running(Place(root, root, None)):
        await stop(left, seconds=5)
