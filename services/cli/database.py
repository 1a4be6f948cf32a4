"""Reach the database before anything is built on it."""

import asyncio
from urllib.parse import urlsplit

import structlog
from pydantic import SecretStr

from libs.pg import open_pool
from services.cli.faults import CommandRefused
from services.cli.settings import Settings
from services.cli.standing import read_standing
from services.cli.store.schemas import refuse_other_schema

FIRST_PAUSE_S = 0.2
LAST_PAUSE_S = 3.0

log = structlog.get_logger("cli")


def need_dsn(settings: Settings) -> SecretStr:
    """Return where the database is; raises CommandRefused when nothing says so."""
    if settings.postgres.dsn is not None:
        return settings.postgres.dsn
    if (standing := read_standing(settings.home)) is not None:
        return standing.dsn
    message = (
        "LESKO_POSTGRES__DSN is not set and no lesko run is up here: it says which PostgreSQL to "
        "use, as postgresql://user:password@host:5432/lesko. (lesko run starts one by itself.)"
    )
    raise CommandRefused(message)


def address_of(dsn: SecretStr) -> str:
    """Return host, port and database of a DSN for people; never its password."""
    parts = urlsplit(dsn.get_secret_value())
    if not parts.hostname:
        return parts.path.lstrip("/") or "as the DSN says"
    return f"{parts.hostname}:{parts.port or 5432}{parts.path}"


async def wait_for_database(dsn: SecretStr, stop: asyncio.Event) -> bool:
    """Wait until the database takes writes, saying so once; False: asked to stop meanwhile."""
    pause_s, said = FIRST_PAUSE_S, ""
    async with open_pool(dsn, name="lesko start", size=1) as pool:
        while (problem := await pool.write_problem()) is not None:
            if problem != said:
                log.warning("waiting_for_database", reason=problem)
                said = problem
            try:
                async with asyncio.timeout(pause_s):
                    await stop.wait()
            except TimeoutError:
                pause_s = min(pause_s * 2, LAST_PAUSE_S)
            if stop.is_set():
                return False
    if said:
        log.info("database_is_back")
    return True


async def need_schema(dsn: SecretStr) -> None:
    """Raise CommandRefused unless the database is exactly as far as these files."""
    async with open_pool(dsn, name="lesko start", size=1) as pool:
        await refuse_other_schema(pool)
