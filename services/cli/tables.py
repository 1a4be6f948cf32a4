"""Bring a database to what the services need: roles, tables, rights, in this order."""

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import SecretStr

from libs.pg import grant_rights, make_roles, open_pool
from services.cli.faults import CommandRefused
from services.cli.logins import OWNERS, Logins
from services.cli.store.schemas import migrate_all, rights_of, schema_states


class Forward(NamedTuple):
    """What was done; nothing where all was as it should be."""

    applied: dict[str, list[str]]  # Migrations by schema.
    roles: list[str]  # Made, or given another password.
    rights: list[str]  # Statements.


async def bring_forward(
    logins: Logins,
    services: Sequence[str] = OWNERS,
    *,
    maker: SecretStr | None = None,
    new_passwords: bool = False,
    is_ours: bool = False,
) -> Forward:
    """Make roles, migrate and grant; a second run changes nothing.

    Tables that a newer version brought further than we know are left as they are, rights too: that
    version's processes may be at work on them.

    The owner (``logins.base``) does it; ``maker``, who may make roles, where the owner may not.
    ``is_ours``: nobody else uses this server's roles. Raises CommandRefused, RoleFault,
    PasswordFault, RightsFault, MigrationFault, MigrationBlocked.
    """
    owner = logins.base
    if owner is None:
        message = (
            "LESKO_POSTGRES__DSN is not set: it says where the database is, and by whom its tables"
            " are made, as postgresql://owner:password@host:5432/lesko."
        )
        raise CommandRefused(message)
    # Of all services, whichever are served here: rights name who has none.
    wanted = await logins.prepare(OWNERS, maker or owner, renew=new_passwords, is_ours=is_ours)
    made = await make_roles(maker or owner, wanted)
    applied = await migrate_all(owner.get_secret_value(), services)
    everybody = [logins.role(service) for service in OWNERS]
    ours = await _not_newer(owner, services)
    rights = await grant_rights(
        owner,
        {service: (logins.role(service), rights_of(service)) for service in ours},
        everybody=everybody,
    )
    return Forward(applied, made, rights)


async def _not_newer(owner: SecretStr, services: Sequence[str]) -> list[str]:
    async with open_pool(owner, name="lesko migrate", size=1) as pool:
        states = await schema_states(pool, services)
    return [state.schema for state in states if not state.is_newer]
