"""Make the roles that services enter the database by, and give each of them its rights."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, NamedTuple, TypeAlias

import asyncpg
from pydantic import SecretStr

from libs.outcome import Fault
from libs.pg.faults import DRIVER_TROUBLE, translate
from libs.pg.login import with_login
from libs.pg.rights import Rights, RightsFault, rights_differences
from libs.pg.scram import scram_verifier

__all__ = ["RoleFault", "RoleLogin", "grant_rights", "make_roles", "roles_present"]

_CONNECT_SECONDS: Final = 10
_LOCK_TIMEOUT: Final = "10s"
_ONE_AT_A_TIME: Final = "SELECT pg_advisory_lock(hashtext('lesko roles'))"
_PRESENT: Final = "SELECT rolname::text FROM pg_roles WHERE rolname = ANY($1::text[])"
_LOOK: Final = """
    SELECT r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls
               AS has_power,
           pg_get_userbyid(d.datdba) = r.rolname AS is_owner,
           EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = r.oid) AS is_member,
           EXISTS (SELECT 1 FROM pg_class c WHERE c.relowner = r.oid) AS has_tables
      FROM pg_roles r, pg_database d
     WHERE r.rolname = $1 AND d.datname = current_database()
"""
_CONNECT_RIGHTS: Final = """
    SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END AS grantee,
           a.privilege_type AS privilege
      FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
     WHERE d.datname = current_database()
"""
_CLOSE_PUBLIC: Final = "REVOKE ALL ON SCHEMA public FROM PUBLIC"
_IS_PUBLIC_OPEN: Final = """
    SELECT EXISTS (
        SELECT 1 FROM pg_namespace n,
               aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
         WHERE n.nspname = 'public' AND a.grantee = 0)
"""

Driver: TypeAlias = "asyncpg.Connection[Any]"


class RoleFault(Fault):
    """A service's role cannot be made, or may do more than a service may; says what to do."""


class RoleLogin(NamedTuple):
    """A role and the password that it shall have; None: it enters in some other way."""

    user: str
    password: SecretStr | None


async def roles_present(dsn: SecretStr, names: Sequence[str]) -> set[str]:
    """Return which of these roles the server has."""
    async with _connected(dsn) as connection:
        return {row[0] for row in await connection.fetch(_PRESENT, names)}


async def make_roles(dsn: SecretStr, logins: Sequence[RoleLogin]) -> list[str]:
    """Make what is missing and set passwords that do not fit; return the roles that changed.

    ``dsn`` is for somebody who may make roles, in the database that they shall enter; whoever may
    not is no trouble while nothing has to be made. A password leaves this process only as what the
    server stores of it. Raises RoleFault.
    """
    changed = []
    async with _connected(dsn) as connection:
        await connection.execute(_ONE_AT_A_TIME)
        for login in logins:
            found = await connection.fetchrow(_LOOK, login.user)
            if found is None:
                await _tell(connection, login, "CREATE ROLE {} LOGIN")
                changed.append(login.user)
                continue
            _refuse_power(login.user, found)
            if login.password is not None and not await _fits(dsn, login.user, login.password):
                await _tell(connection, login, "ALTER ROLE {} LOGIN")
                changed.append(login.user)
    return changed


async def grant_rights(
    dsn: SecretStr, schemas: Mapping[str, tuple[str, Rights]], *, everybody: Sequence[str]
) -> list[str]:
    """Bring these schemas' rights, a role and its rights each, to what they should be.

    ``dsn`` is the owner's; ``everybody`` are all services' roles, which then have no other right
    here, nor has PUBLIC. Returns the statements that were needed. Raises RightsFault, RoleFault.
    """
    done: list[str] = []
    async with _connected(dsn) as connection:
        await connection.execute(_ONE_AT_A_TIME)
        done += await _open_door(connection, everybody)
        for schema, (role, rights) in schemas.items():
            others = [name for name in everybody if name != role]
            differences = await rights_differences(
                connection, schema, rights, role=role, others=others
            )
            async with connection.transaction():
                for each in differences:
                    await connection.execute(each.statement(schema))
                    done.append(each.statement(schema))
            if differences and (
                left := await rights_differences(
                    connection, schema, rights, role=role, others=others
                )
            ):
                raise RightsFault(
                    f"{left[0].sentence(schema)}, and the owner of the database cannot change it:"
                    " have it changed by whoever granted it."
                )
    return done


async def _open_door(connection: Driver, roles: Sequence[str]) -> list[str]:
    """Let these roles into the database, and strangers no longer."""
    rows = await connection.fetch(_CONNECT_RIGHTS)
    held = {(row["grantee"], row["privilege"]) for row in rows}
    name = await connection.fetchval("SELECT quote_ident(current_database())")
    statements = []
    if any(grantee == "PUBLIC" for grantee, _ in held):
        statements.append(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    for role in roles:
        quoted = await connection.fetchval("SELECT quote_ident($1)", role)
        if (role, "CONNECT") not in held:
            statements.append(f"GRANT CONNECT ON DATABASE {name} TO {quoted}")
        if (role, "CREATE") in held or (role, "TEMPORARY") in held:
            statements.append(f"REVOKE CREATE, TEMPORARY ON DATABASE {name} FROM {quoted}")
    if await connection.fetchval(_IS_PUBLIC_OPEN):
        statements.append(_CLOSE_PUBLIC)
    for statement in statements:
        await connection.execute(statement)
    return statements


def _refuse_power(user: str, found: "asyncpg.Record") -> None:
    if found["is_owner"]:
        what = "owns the database"
    elif found["has_power"]:
        what = "is a superuser, or may make roles or databases, replicate or pass by row security"
    elif found["is_member"]:
        what = "is a member of other roles"
    elif found["has_tables"]:
        what = "owns tables"
    else:
        return
    raise RoleFault(
        f"The role {user} {what}, and a service's role may not: take that away, or let the service"
        " enter by another one."
    )


async def _fits(dsn: SecretStr, user: str, password: SecretStr) -> bool:
    """Try the password; whoever is let in and may not enter this database has the right one."""
    try:
        connection = await asyncpg.connect(
            with_login(dsn, user, password).get_secret_value(), timeout=_CONNECT_SECONDS
        )
    except asyncpg.InvalidAuthorizationSpecificationError:  # A wrong password is one, too.
        return False
    except asyncpg.InsufficientPrivilegeError:
        return True
    await connection.close(timeout=_CONNECT_SECONDS)
    return True


async def _tell(connection: Driver, login: RoleLogin, statement: str) -> None:
    text = statement.format(await connection.fetchval("SELECT quote_ident($1)", login.user))
    if login.password is not None:
        text += f" PASSWORD '{scram_verifier(login.password)}'"
    try:
        await connection.execute(text)
    except asyncpg.InsufficientPrivilegeError:
        raise RoleFault(
            f"This login may not make or change the role {login.user}. Give it CREATEROLE, or have"
            f' an administrator run CREATE ROLE "{login.user}" LOGIN PASSWORD, with the password'
            " that is in the service's file."
        ) from None


@asynccontextmanager
async def _connected(dsn: SecretStr) -> AsyncIterator[Driver]:
    try:
        connection = await asyncpg.connect(
            dsn.get_secret_value(),
            timeout=_CONNECT_SECONDS,
            server_settings={"application_name": "lesko roles", "lock_timeout": _LOCK_TIMEOUT},
        )
    except DRIVER_TROUBLE as error:
        raise translate(error, may_have_committed=False) or error from None
    try:
        yield connection
    except DRIVER_TROUBLE as error:
        raise translate(error, may_have_committed=True) or error from None
    finally:
        with suppress(*DRIVER_TROUBLE):
            await connection.close(timeout=_CONNECT_SECONDS)  # Frees the lock.
