"""Roles of services: made by whoever may, entered by password alone, and left alone by others."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import asyncpg
import pytest
from pydantic import SecretStr

from libs.pg import AccessRefused, RoleFault, RoleLogin, make_roles, open_pool, with_login
from libs.pg.roles import roles_present
from libs.pg.server import Server, start_server
from tests.conftest import PostgresServer

pytestmark = pytest.mark.postgres

PASSWORD = SecretStr('it\'s 50% "quoted" \\ @/:?#')


class Dba:
    """An administrator with a database whose owner may make no roles."""

    def __init__(self, server: PostgresServer, name: str) -> None:
        self._server = server
        self.name = name
        self.owner = with_login(SecretStr(server.dsn_of(name)), name, SecretStr("owner"))

    async def tell(self, *statements: str) -> None:
        """Run statements as the superuser."""
        connection = await asyncpg.connect(self._server.admin_dsn, timeout=10)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


@pytest.fixture
async def dba(postgres_server: PostgresServer) -> AsyncIterator[Dba]:
    """Give one; what was made is dropped."""
    made = Dba(postgres_server, f"lesko_dba_{secrets.token_hex(4)}")
    await made.tell(
        f"CREATE ROLE {made.name} LOGIN PASSWORD 'owner'",
        f"CREATE DATABASE {made.name} OWNER {made.name}",
    )
    yield made
    await made.tell(
        f"DROP DATABASE {made.name} WITH (FORCE)",
        f"DROP ROLE IF EXISTS {made.name}_admin",
        f"DROP ROLE {made.name}",
    )


async def test_an_owner_who_may_make_none_is_told_what_helps(dba: Dba) -> None:
    """With the role's name, and not its password."""
    login = RoleLogin(f"{dba.name}_admin", PASSWORD)

    with pytest.raises(RoleFault, match=f'CREATE ROLE "{login.user}" LOGIN') as caught:
        await make_roles(dba.owner, [login])
    assert PASSWORD.get_secret_value() not in str(caught.value)
    assert set() == await roles_present(dba.owner, [login.user])


async def test_roles_that_an_administrator_made_are_used(dba: Dba) -> None:
    """Where the password fits there is nothing to do; where it does not, that is said."""
    login = RoleLogin(f"{dba.name}_admin", SecretStr("made-by-hand"))
    await dba.tell(f"CREATE ROLE {login.user} LOGIN PASSWORD 'made-by-hand'")

    assert [] == await make_roles(dba.owner, [login])
    with pytest.raises(RoleFault, match="may not make or change the role"):
        await make_roles(dba.owner, [RoleLogin(login.user, PASSWORD)])


async def test_any_password_is_set_as_it_is(dba: Dba) -> None:
    """And what the server has of it is no text that could be used elsewhere."""
    login = RoleLogin(f"{dba.name}_admin", PASSWORD)
    await dba.tell(f"ALTER ROLE {dba.name} CREATEROLE")
    made = await make_roles(dba.owner, [login])
    again = await make_roles(dba.owner, [login])
    async with open_pool(with_login(dba.owner, *login_of(login)), name="test", size=1) as pool:
        [row] = await pool.read("SELECT current_user")

    assert ([login.user], []) == (made, again)
    assert login.user == row[0]


async def test_a_wrong_password_is_a_refused_access(dba: Dba) -> None:
    """Which those who wait for a database can tell from everything else that is broken."""
    wrong = with_login(dba.owner, dba.name, SecretStr("wrong"))
    async with open_pool(wrong, name="test", size=1) as pool:
        with pytest.raises(AccessRefused):
            await pool.read("SELECT 1")


def login_of(login: RoleLogin) -> tuple[str, SecretStr]:
    """Return both parts of a login that has a password."""
    assert login.password is not None
    return login.user, login.password


class TestOurServer:
    async def test_lets_nobody_in_without_a_password(self, root: Path) -> None:
        """Neither over TCP nor over its socket, whoever asks on this machine, root too."""
        async with start_server(root, shared_buffers_mb=32) as server:
            login = RoleLogin("lesko_admin", PASSWORD)
            await make_roles(SecretStr(server.maker_dsn), [login])
            owner = SecretStr(server.dsn)
            ways = [owner, over_socket(server)]
            refused = []
            for way in ways:
                for user in ("lesko_admin", "lesko", "postgres"):
                    for password in ("", "wrong"):
                        dsn = with_login(way, user, SecretStr(password)).get_secret_value()
                        with pytest.raises(
                            (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InterfaceError)
                        ):
                            await asyncpg.connect(dsn, timeout=10, passfile=str(root / "none"))
                        refused.append((user, password))
            for way in ways:  # Known, and still not let into a database that is not opened to it.
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await asyncpg.connect(
                        with_login(way, *login_of(login)).get_secret_value(), timeout=10
                    )
            admin = await asyncpg.connect(server.admin_dsn, timeout=10)
            methods = await admin.fetch("SELECT DISTINCT auth_method FROM pg_hba_file_rules")
            await admin.close()

        assert 12 == len(refused)
        assert ["scram-sha-256"] == [row[0] for row in methods]


def over_socket(server: Server) -> SecretStr:
    """Return the way in by the socket."""
    assert server.socket_directory is not None
    place = quote(str(server.socket_directory), safe="")
    return SecretStr(f"postgresql:///lesko?host={place}&port={server.port}&sslmode=disable")
