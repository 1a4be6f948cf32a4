"""Reach the database before anything is built on it."""

from pydantic import SecretStr

from libs.pg import open_pool
from services.cli.faults import CommandRefused
from services.cli.settings import Settings
from services.cli.standing import read_standing
from services.cli.store.schemas import schema_problem


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


async def need_schema(dsn: SecretStr) -> None:
    """Raise CommandRefused unless the database is exactly as far as these files."""
    async with open_pool(dsn, name="lesko start", size=1) as pool:
        if (problem := await schema_problem(pool)) is not None:
            raise CommandRefused(problem)
