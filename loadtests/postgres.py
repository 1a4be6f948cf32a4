"""The PostgreSQL of a run: ours in a directory that goes away, or one that was given."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg

from libs.pg.server import start_server
from loadtests.dsn import with_database
from loadtests.machine import parent_of
from loadtests.pgbench import find_pgbench

SHOWN: Final = (
    "server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers",
    "max_wal_size", "wal_sync_method",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A server on which we may create databases; DSNs hold a password and are never printed."""

    admin_dsn: str
    owner_dsn: str  # Of the role that owns what we create.
    postmaster: int | None  # None when it runs elsewhere.
    pgbench: Path | None
    data_directory: Path | None
    settings: dict[str, str]

    async def create(self, name: str, *, template: str = "template1") -> str:
        """Create a database, instead of one that an earlier run left, and return its DSN."""
        await self.drop(name)
        owner = urlsplit(self.owner_dsn).username or ""
        owned = f' OWNER "{owner}"' if owner else ""
        await self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"{owned}')
        return with_database(self.owner_dsn, name)

    async def drop(self, name: str) -> None:
        """Drop one of our databases."""
        await self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def checkpoint(self) -> None:
        """Write everything out, so that the next measurement begins even."""
        await self._execute("CHECKPOINT")

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            await connection.execute(statement, timeout=300)
        finally:
            await connection.close()


@asynccontextmanager
async def open_postgres(dsn: str | None, work: Path) -> AsyncIterator[Postgres]:
    """Give the server at ``dsn``, or one of our own under ``work`` that is gone afterwards."""
    if dsn is not None:
        yield await _look_at(dsn, dsn, [])
        return
    elsewhere = None
    try:
        async with start_server(work / "postgres", report=_tell) as server:
            elsewhere = server.placed_elsewhere
            yield await _look_at(server.admin_dsn, server.dsn, [server.binaries])
    finally:
        if elsewhere is not None:
            shutil.rmtree(elsewhere, ignore_errors=True)


async def _look_at(admin_dsn: str, owner_dsn: str, hints: list[Path]) -> Postgres:
    connection: asyncpg.Connection[Any] = await asyncpg.connect(admin_dsn)
    try:
        backend = connection.get_server_pid()
        settings = {name: await connection.fetchval(f"SHOW {name}") for name in SHOWN}
        directory = Path(await connection.fetchval("SHOW data_directory"))
        here = urlsplit(admin_dsn).hostname in (None, "127.0.0.1", "localhost", "::1")
        postmaster = parent_of(backend) if here else None
    finally:
        await connection.close()
    return Postgres(
        admin_dsn=admin_dsn,
        owner_dsn=owner_dsn,
        postmaster=postmaster,
        pgbench=find_pgbench(postmaster, hints),
        data_directory=directory if here else None,
        settings=settings,
    )


def _tell(sentence: str) -> None:
    print(f"  PostgreSQL: {sentence}", flush=True)
