"""Bring a service's schema forward, file by file; there is no way back.

Payments go on meanwhile: a file that does not get its locks at once gives up, for whatever queues
behind its request would wait with it, and is tried again a little later.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import asyncpg
from pydantic import SecretStr

from libs.outcome import Fault
from libs.pg.faults import DRIVER_TROUBLE, translate
from libs.pg.pool import plain_dsn

__all__ = ["Migration", "MigrationBlocked", "MigrationFault", "migrate", "read_migrations"]

_FILE: Final = re.compile(r"(\d{4})_([a-z][a-z0-9_]*)\.sql")
_SCHEMA: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_CONNECT_SECONDS: Final = 10
_TURN_WAIT: Final = "60s"
_LOCK_MS: Final = 400  # A payment that has to queue behind us waits no longer.
_FILE_MS: Final = 10_000  # Locks are held until the end of the file, so all of it must be quick.
_ALONE: Final = "-- Runs outside of a transaction."
"""The first line of a file whose one statement PostgreSQL refuses in a transaction: CREATE INDEX
CONCURRENTLY and its like, which hold up nobody and so may take their time."""
_BREAKS: Final = "-- The version before does not work with this."
"""A line at the head of a file that takes away what older programs need. All others only add, and
the version before goes on with them, so that an upgrade may be rolled out, and back."""
_HEAD_LINES: Final = 3

# What an index that was not finished leaves; a partitioned table's own is valid once all parts are.
_HALF_BUILT: Final = """
    SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
     WHERE NOT i.indisvalid AND c.relkind = 'i' AND c.relnamespace = to_regnamespace($1)
"""

Driver: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class MigrationFault(Fault):
    """The files and the database do not fit together, or a file failed; nothing of it stayed."""


class MigrationBlocked(Fault):
    """A file did not get its locks, however often; nothing of it stayed and nobody waits."""

    retriable = True


class Migration(NamedTuple):
    """One file that was applied, or may be."""

    number: int
    name: str
    sha256: bytes
    breaks_older: bool = False  # The version before does not work with it.


class _File(NamedTuple):
    migration: Migration
    sql: str

    @property
    def runs_alone(self) -> bool:
        return self.sql.startswith(_ALONE)


async def migrate(
    dsn: str | SecretStr,
    schema: str,
    directory: Path,
    *,
    tries: int = 20,
    pause_ms: int = 1_000,
) -> list[Migration]:
    """Apply what the schema lacks, in order, one transaction each; return what was applied.

    Creates the schema and its table ``migration`` when they are missing. A second run does
    nothing; two at once take turns. A file waits 400 ms for a lock, and is then tried again after
    a pause, ``tries`` times in all. A database that is further than the files is left as it is.
    Raises MigrationBlocked after the last try; MigrationFault for a gap, a file that changed after
    it was applied, a database that a newer version made unusable for this one, or failing SQL;
    StoreUnavailable or StoreBroken for a server that cannot be reached.
    """
    if not _SCHEMA.fullmatch(schema):
        raise MigrationFault(f"{schema!r} is no name for a schema.")
    files = _read(directory)
    async with _only_one(plain_dsn(dsn), schema) as connection:
        applied = await _applied(connection, schema)
        _compare(applied, {file.migration.number: file.migration for file in files}, schema)
        fresh = [file for file in files if file.migration.number not in applied]
        for file in fresh:
            await _apply_patiently(connection, schema, file, tries=tries, pause_ms=pause_ms)
    return [file.migration for file in fresh]


def read_migrations(directory: Path) -> list[Migration]:
    """Return the directory's migrations in order; raises MigrationFault for a gap or bad name."""
    return [file.migration for file in _read(directory)]


def _read(directory: Path) -> list[_File]:
    if not directory.is_dir():
        raise MigrationFault(f"There is no directory of migrations at {directory}.")
    files = []
    for path in sorted(directory.glob("*.sql")):
        if not (named := _FILE.fullmatch(path.name)):
            raise MigrationFault(f"{path.name} is not named like 0001_account.sql.")
        content = path.read_bytes()
        sql = content.decode()
        breaks_older = _BREAKS in sql.splitlines()[:_HEAD_LINES]
        digest = hashlib.sha256(content).digest()
        files.append(_File(Migration(int(named[1]), named[2], digest, breaks_older), sql))
    for expected, file in enumerate(files, 1):
        if file.migration.number != expected:
            raise MigrationFault(
                f"Migration {expected:04} is missing or there twice in {directory}."
            )
    return files


@asynccontextmanager
async def _only_one(dsn: str, schema: str) -> AsyncIterator[Driver]:
    """Connect and hold the schema's lock until the block is left."""
    try:
        connection = await asyncpg.connect(
            dsn,
            timeout=_CONNECT_SECONDS,
            server_settings={"application_name": "lesko migrate", "lock_timeout": _TURN_WAIT},
        )
    except DRIVER_TROUBLE as error:
        raise translate(error, may_have_committed=False) or error from None
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtext($1))", f"migrate {schema}")
        yield connection
    except DRIVER_TROUBLE as error:
        raise translate(error, may_have_committed=True) or error from None
    finally:
        with suppress(*DRIVER_TROUBLE):
            await connection.close(timeout=_CONNECT_SECONDS)  # Frees the lock.


async def _applied(connection: Driver, schema: str) -> dict[int, Migration]:
    await connection.execute(
        f"""
        SET client_min_messages = warning;
        CREATE SCHEMA IF NOT EXISTS "{schema}";
        CREATE TABLE IF NOT EXISTS "{schema}".migration (
            number integer PRIMARY KEY,
            name text NOT NULL,
            sha256 bytea NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        );
        ALTER TABLE "{schema}".migration
            ADD COLUMN IF NOT EXISTS breaks_older boolean NOT NULL DEFAULT false
        """
    )
    rows = await connection.fetch(
        f'SELECT number, name, sha256, breaks_older FROM "{schema}".migration'  # noqa: S608 -- checked name
    )
    return {row["number"]: Migration(*row) for row in rows}


def _compare(applied: Mapping[int, Migration], files: Mapping[int, Migration], schema: str) -> None:
    for number, was in sorted(applied.items()):
        now = files.get(number)
        if now is None and was.breaks_older:
            raise MigrationFault(
                f"The database has {schema} migration {number:04}_{was.name}, these files do not: "
                "it was made by a newer version, and this one does not work with it."
            )
        if now is not None and now.sha256 != was.sha256:
            raise MigrationFault(
                f"{schema} migration {number:04}_{now.name}.sql changed after it was applied; "
                "bring the file back and write a new one."
            )


async def _apply_patiently(
    connection: Driver, schema: str, file: _File, *, tries: int, pause_ms: int
) -> None:
    for left in range(tries - 1, -1, -1):
        try:
            await _apply(connection, schema, file)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            if not left:
                raise MigrationBlocked(
                    f"{_title(schema, file)} did not get its locks in {tries} tries: a long"
                    " transaction holds what it needs. Nothing was changed; end that one, or try"
                    " again later."
                ) from None
            await asyncio.sleep(pause_ms / 1_000)
        else:
            return


async def _apply(connection: Driver, schema: str, file: _File) -> None:
    try:
        if file.runs_alone:
            await _apply_alone(connection, schema, file)
            return
        # What ends too late is cancelled; the server's own limit counts each statement anew, and
        # holds where it does not hear of that.
        async with asyncio.timeout(_FILE_MS / 1_000), connection.transaction():
            await connection.execute(
                f"SET LOCAL lock_timeout = {_LOCK_MS}; SET LOCAL statement_timeout = {_FILE_MS}"
            )
            await connection.execute(file.sql)
            if not connection.is_in_transaction():
                raise MigrationFault(
                    f"{_title(schema, file)} ends its own transaction; "
                    "it must not hold COMMIT or ROLLBACK."
                )
            await _note(connection, schema, file)
    except (asyncpg.QueryCanceledError, TimeoutError):
        raise MigrationFault(
            f"{_title(schema, file)} took longer than {_FILE_MS / 1_000:g} s, in which"
            " payments may have to wait: split it."
        ) from None
    except asyncpg.PostgresError as error:
        fault = translate(error, may_have_committed=True)
        if fault is None or fault.retriable:
            raise
        raise MigrationFault(f"{_title(schema, file)} failed: {fault}") from None


async def _apply_alone(connection: Driver, schema: str, file: _File) -> None:
    """Run the one statement; what an earlier try left unfinished is taken away first."""
    for (index,) in await connection.fetch(_HALF_BUILT, f'"{schema}"'):
        await connection.execute(f"DROP INDEX CONCURRENTLY {index}")
    await connection.execute(file.sql)
    await _note(connection, schema, file)


async def _note(connection: Driver, schema: str, file: _File) -> None:
    await connection.execute(
        f'INSERT INTO "{schema}".migration (number, name, sha256, breaks_older) '  # noqa: S608 -- checked name
        "VALUES ($1, $2, $3, $4)",
        *file.migration,
    )


def _title(schema: str, file: _File) -> str:
    number, name, *_ = file.migration
    return f"{schema} migration {number:04}_{name}.sql"
