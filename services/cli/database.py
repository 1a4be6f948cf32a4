"""Reach the database before anything is built on it."""

from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr

from libs.pg import open_pool
from services.cli.faults import CommandRefused
from services.cli.logins import OWNERS, Logins, logins_of
from services.cli.settings import Settings
from services.cli.standing import read_standing
from services.cli.store.schemas import schema_problem


def need_dsn(settings: Settings) -> SecretStr:
    """Return where the database is, entered by its owner; raises CommandRefused."""
    if (found := _found_dsn(settings)) is not None:
        return found
    raise CommandRefused(_NOWHERE)


def need_logins(settings: Settings, services: Sequence[str] = OWNERS) -> Logins:
    """Return how these services enter the database; raises CommandRefused without a place."""
    base = _found_dsn(settings)
    logins = logins_of(settings, base)
    if base is None and not all(logins.is_given(service) for service in services):
        raise CommandRefused(_NOWHERE)
    return logins


def own_settings(settings: Settings, service: str) -> dict[str, Any]:
    """Return what overrides a service's settings: its own login; raises CommandRefused."""
    return {"postgres": {"dsn": need_logins(settings, [service]).of(service)}}


async def need_schemas(logins: Logins, services: Sequence[str] = OWNERS) -> None:
    """Raise CommandRefused unless these services' tables can be used by this version."""
    for service in services:
        async with open_pool(logins.of(service), name="lesko start", size=1) as pool:
            if (problem := await schema_problem(pool, [service])) is not None:
                raise CommandRefused(problem)


def _found_dsn(settings: Settings) -> SecretStr | None:
    if settings.postgres.dsn is not None:
        return settings.postgres.dsn
    standing = read_standing(settings.home)
    return None if standing is None else standing.dsn


_NOWHERE = (
    "LESKO_POSTGRES__DSN is not set and no lesko run is up here: it says which PostgreSQL to "
    "use, as postgresql://user:password@host:5432/lesko. (lesko run starts one by itself.)"
)
