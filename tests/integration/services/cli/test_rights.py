"""Each service's role against every table, verb and schema of a migrated database."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest
from pydantic import SecretStr

from libs.pg import RoleFault
from services.card_ledger.store.leases import PostgresLeases
from services.cli.faults import CommandRefused
from services.cli.logins import OWNERS, Logins
from services.cli.store.schemas import rights_of
from services.cli.tables import Forward, bring_forward
from tests.conftest import PostgresServer, own_roles_of

pytestmark = pytest.mark.postgres

MakeDatabase = Callable[..., Awaitable[str]]
FOR_EVER = {
    "card_ledger": {"transfer", "batch", "once"},
    "admin": {"audit"},
    "authorization": set[str](),
}
"""What nobody may change or delete, whatever the file of rights says."""
HARMLESS = """
    CREATE OR REPLACE FUNCTION admin.refuse_change() RETURNS trigger
    LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'
"""
"""What would make the audit's trigger let everything pass."""
DENIED = asyncpg.InsufficientPrivilegeError


class Table(NamedTuple):
    """A table and its columns."""

    schema: str
    name: str
    columns: tuple[str, ...]
    is_part: bool  # A day of another table.


class Installed:
    """A database with the roles of the three services."""

    def __init__(self, dsn: str, directory: Path) -> None:
        self.dsn = dsn
        prefix = own_roles_of(dsn)["LESKO_POSTGRES__ROLE_PREFIX"]
        self.logins = Logins(SecretStr(dsn), {}, directory, prefix)

    async def forward(self) -> Forward:
        """Bring it forward, as ``lesko migrate`` does."""
        return await bring_forward(self.logins)

    async def enter(self, service: str | None) -> "asyncpg.Connection[asyncpg.Record]":
        """Connect as a service, or as the owner."""
        dsn = self.dsn if service is None else self.logins.of(service).get_secret_value()
        return await asyncpg.connect(dsn, timeout=10)

    async def tables(self) -> list[Table]:
        """Return every table of every service."""
        owner = await self.enter(None)
        rows = await owner.fetch(
            """
            SELECT n.nspname, c.relname, c.relispartition,
                   array_agg(a.attname::text ORDER BY a.attnum) AS columns
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             WHERE n.nspname = ANY($1::text[]) AND c.relkind IN ('r', 'p') GROUP BY 1, 2, 3
            """,
            list(OWNERS),
        )
        await owner.close()
        return [Table(r[0], r[1], tuple(r["columns"]), r[2]) for r in rows]


@pytest.fixture
async def installed(make_database: MakeDatabase, tmp_path: Path) -> Installed:
    found = Installed(await make_database(), tmp_path / "roles")
    await found.forward()
    ledger = await found.enter("card_ledger")
    assert await ledger.fetchval("SELECT card_ledger.ensure_day($1)", date(2026, 11, 25))
    await ledger.close()
    return found


async def may(connection: "asyncpg.Connection[asyncpg.Record]", statement: str) -> bool:
    """Try a statement that would change nothing, and undo it."""
    attempt = connection.transaction()
    await attempt.start()
    try:
        await connection.execute(statement)
    except DENIED:
        return False
    except asyncpg.PostgresError:
        return True  # Whatever else was wrong came after the right was found.
    finally:
        await attempt.rollback()
    return True


def attempts(table: Table) -> dict[str, str]:
    """Return a statement for every verb, and for UPDATE one a column."""
    name = f'"{table.schema}"."{table.name}"'
    return {
        "SELECT": f"SELECT * FROM {name} LIMIT 0",
        "INSERT": f"INSERT INTO {name} DEFAULT VALUES",
        "DELETE": f"DELETE FROM {name} WHERE false",
        "TRUNCATE": f"TRUNCATE {name}",
        "LOCK": f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE NOWAIT",
        **{f"UPDATE {c}": f'UPDATE {name} SET "{c}" = DEFAULT WHERE false' for c in table.columns},
    }


def allowed(service: str, table: Table) -> set[str]:
    """Return what the service's file gives it on a table."""
    if service != table.schema:
        return set()
    found = set()
    for privilege, columns in rights_of(service).tables.get(table.name, ()):
        if privilege == "UPDATE":
            found |= {f"UPDATE {column}" for column in columns or table.columns}
        else:
            found.add(privilege)
        if privilege in ("UPDATE", "DELETE") and not columns:
            found.add("LOCK")  # Comes with the right to change any row.
    return found


class TestRoles:
    @pytest.mark.parametrize("service", OWNERS)
    async def test_may_do_what_their_file_says_and_nothing_else(
        self, installed: Installed, service: str
    ) -> None:
        """Over all tables of all services, days included, and all verbs."""
        tables = await installed.tables()
        connection = await installed.enter(service)
        found, wanted = {}, {}
        for table in tables:
            tried = attempts(table)
            found[table[:2]] = {verb for verb, sql in tried.items() if await may(connection, sql)}
            wanted[table[:2]] = allowed(service, table)
        await connection.close()

        assert {table.schema for table in tables} == set(OWNERS)
        assert any(table.is_part and table.name == "transfer_20261125" for table in tables)
        assert wanted == found

    async def test_never_change_what_is_for_ever(self, installed: Installed) -> None:
        """No file of rights can give it: rows of the books and of the audit stay as they are."""
        for table in await installed.tables():
            given = {verb.partition(" ")[0] for verb in allowed(table.schema, table)}
            assert "TRUNCATE" not in given, table
            if table.name in FOR_EVER[table.schema]:
                assert not given & {"UPDATE", "DELETE"}, table
            if table.schema == "card_ledger" and table.name in FOR_EVER["card_ledger"]:
                assert "INSERT" not in given, "rows come by post_batch alone"

    async def test_every_table_has_its_line(self, installed: Installed) -> None:
        """A new table is thought of: what its service may do there is written down."""
        for table in await installed.tables():
            if not table.is_part or table.name == "transfer_default":
                assert table.name in rights_of(table.schema).tables, table

    @pytest.mark.parametrize("service", OWNERS)
    async def test_may_make_nothing_and_raise_themselves_nowhere(
        self, installed: Installed, service: str
    ) -> None:
        """No tables, temporary or not, no triggers off, no rights, no roles, no files."""
        owner = await installed.enter(None)
        owner_role = await owner.fetchval("SELECT current_user")
        await owner.close()
        role = installed.logins.role(service)
        connection = await installed.enter(service)
        done = [
            statement
            for statement in (
                f'CREATE TABLE "{service}".mine (id int)',
                "CREATE TABLE public.mine (id int)",
                "CREATE TEMP TABLE mine (id int)",
                "CREATE SCHEMA mine",
                "CREATE ROLE mine LOGIN",
                f'ALTER ROLE "{role}" CREATEROLE',
                f'SET ROLE "{owner_role}"',
                "ALTER TABLE admin.audit DISABLE TRIGGER USER",
                HARMLESS,
                "COPY (SELECT 1) TO PROGRAM 'true'",
                "SELECT pg_read_file('postgresql.conf')",
                "SELECT rolpassword FROM pg_authid",
            )
            if await may(connection, statement)
        ]
        await connection.close()

        assert [] == done

    async def test_a_stranger_does_not_enter(
        self, installed: Installed, postgres_server: PostgresServer
    ) -> None:
        """A role of the same server that is none of ours is not let into the database."""
        admin = await asyncpg.connect(postgres_server.admin_dsn, timeout=10)
        stranger = f"{installed.logins.role('admin')}_stranger"
        try:
            await admin.execute(f"CREATE ROLE \"{stranger}\" LOGIN PASSWORD 'known'")
            with pytest.raises(DENIED):
                await asyncpg.connect(installed.dsn, user=stranger, password="known", timeout=10)
        finally:
            await admin.execute(f'DROP ROLE IF EXISTS "{stranger}"')
            await admin.close()


class TestDefiners:
    async def test_have_a_search_path_of_their_own(self, installed: Installed) -> None:
        """What runs with the owner's rights finds nothing that a caller put in its way."""
        owner = await installed.enter(None)
        rows = await owner.fetch(
            """SELECT p.proname::text, p.proconfig FROM pg_proc p
                 JOIN pg_namespace n ON n.oid = p.pronamespace
                WHERE p.prosecdef AND n.nspname = ANY($1)""",
            list(OWNERS),
        )
        await owner.close()

        assert {"post_batch", "project", "ensure_day"} == {row["proname"] for row in rows}
        for row in rows:
            assert ["search_path=pg_catalog, pg_temp"] == row["proconfig"], row["proname"]


class TestBalances:
    async def test_come_from_rows_alone(self, installed: Installed) -> None:
        """The ledger's role opens accounts, empty ones, and projects no further than the rows."""
        ledger = await installed.enter("card_ledger")
        await ledger.execute("INSERT INTO card_ledger.owner (partition) VALUES (0)")
        with pytest.raises(DENIED):
            await ledger.execute(
                "INSERT INTO card_ledger.account (number, partition, floor, balance, opened_on)"
                " VALUES (1, 0, 0, 1000000000, current_date)"
            )
        for through in (1 << 60, 0, -1):
            await ledger.execute("SELECT card_ledger.project(0, $1)", through)
        projected = await ledger.fetchval("SELECT projected_id FROM card_ledger.owner")
        await ledger.close()

        assert 0 == projected


class TestLeases:
    async def test_of_another_role_hold_until_they_have_run_out(self, installed: Installed) -> None:
        """Whose session's start this role may not see: it waits, it does not take at once."""
        ledger = await installed.enter("card_ledger")
        await ledger.execute("INSERT INTO card_ledger.setting (partitions) VALUES (2)")
        await ledger.execute("INSERT INTO card_ledger.owner (partition) VALUES (0), (1)")
        other = PostgresLeases(SecretStr(installed.dsn), lease_ms=60_000)
        own = PostgresLeases(installed.logins.of("card_ledger"), lease_ms=60_000)
        held = await other.take("of the owner")
        refused = await own.take("of the ledger")
        await other.close()
        async with asyncio.timeout(30):  # Its session ends a moment later.
            while not (taken := await own.take("of the ledger")):  # noqa: ASYNC110 -- no event
                await asyncio.sleep(0.02)
        await own.close()
        await ledger.close()

        assert (2, 0, 2) == (len(held), len(refused), len(taken))


class TestBringForward:
    async def test_changes_nothing_the_second_time(self, installed: Installed) -> None:
        """All is as it should be, and is left alone."""
        assert Forward({service: [] for service in OWNERS}, [], []) == await installed.forward()

    async def test_takes_back_what_was_given_by_hand(self, installed: Installed) -> None:
        """Rights of PUBLIC and of other services' roles, a column's too, are gone again."""
        owner = await installed.enter(None)
        reader = installed.logins.role("admin")
        await owner.execute(
            f"""
            GRANT UPDATE ON card_ledger.transfer TO "{installed.logins.role("card_ledger")}";
            GRANT UPDATE (amount) ON card_ledger.transfer TO PUBLIC;
            GRANT USAGE ON SCHEMA card_ledger TO "{reader}";
            GRANT SELECT ON card_ledger.account TO "{reader}";
            GRANT EXECUTE ON FUNCTION card_ledger.days_ahead(date) TO PUBLIC;
            REVOKE SELECT ON card_ledger.batch FROM "{installed.logins.role("card_ledger")}";
            """
        )
        await owner.close()
        done = await installed.forward()

        assert 6 == len(done.rights), done.rights
        assert 5 == sum(each.startswith("REVOKE") for each in done.rights)
        assert [] == (await installed.forward()).rights

    async def test_keeps_passwords_in_files_for_the_owner_alone(self, installed: Installed) -> None:
        """One a service, random, and none of them ever on the server in clear."""
        files = sorted(path for path in installed.logins._directory.iterdir())
        passwords = {path.read_text().strip() for path in files}
        owner = await installed.enter(None)
        stored = await owner.fetchval(
            "SELECT count(*) FROM pg_roles WHERE rolpassword <> '********'"
        )
        await owner.close()

        assert ["admin", "authorization", "card_ledger"] == [path.stem for path in files]
        assert {0o600} == {path.stat().st_mode & 0o777 for path in files}
        assert 3 == len(passwords)
        assert min(map(len, passwords)) >= 32
        assert 0 == stored

    async def test_uses_passwords_that_were_given(
        self, make_database: MakeDatabase, tmp_path: Path
    ) -> None:
        """What lies in a service's file before is its password; a changed one is taken over."""
        found = Installed(await make_database(), tmp_path)
        path = tmp_path / "admin.password"
        for word in ("chosen-by-hand", "another 'word'"):
            path.write_text(f"{word}\n")
            path.chmod(0o600)
            done = await found.forward()
            connection = await asyncpg.connect(
                found.dsn, user=found.logins.role("admin"), password=word, timeout=10
            )
            await connection.close()
            assert found.logins.role("admin") in done.roles

    async def test_refuses_a_role_whose_password_is_elsewhere(
        self, installed: Installed, tmp_path: Path
    ) -> None:
        """Another installation's services keep their password, until somebody says otherwise."""
        other = Installed(installed.dsn, tmp_path / "other")
        with pytest.raises(CommandRefused, match=r"its password is not at .*admin\.password"):
            await other.forward()
        still = await installed.enter("admin")
        await still.close()
        renewed = await bring_forward(other.logins, new_passwords=True)
        mine = await other.enter("admin")
        await mine.close()

        assert 3 == len(renewed.roles)
        with pytest.raises(asyncpg.InvalidPasswordError):
            await installed.enter("admin")

    async def test_refuses_a_role_that_may_do_more(
        self, installed: Installed, postgres_server: PostgresServer
    ) -> None:
        """A superuser, a member of another role and the owner are no service."""
        role = installed.logins.role("admin")
        admin = await asyncpg.connect(postgres_server.admin_dsn, timeout=10)
        try:
            for give, take in (
                (f'ALTER ROLE "{role}" BYPASSRLS', f'ALTER ROLE "{role}" NOBYPASSRLS'),
                (f'GRANT pg_read_all_data TO "{role}"', f'REVOKE pg_read_all_data FROM "{role}"'),
            ):
                await admin.execute(give)
                with pytest.raises(RoleFault, match="a service's role may not"):
                    await installed.forward()
                await admin.execute(take)
        finally:
            await admin.close()
        owner = Logins(
            SecretStr(installed.dsn),
            {"admin": SecretStr(installed.dsn)},
            installed.logins._directory,
            installed.logins._prefix,
        )
        with pytest.raises(RoleFault, match="owns the database, and"):
            await bring_forward(owner)

    async def test_two_at_once_take_turns(
        self, make_database: MakeDatabase, tmp_path: Path
    ) -> None:
        """Both end well, and with the same passwords."""
        found = Installed(await make_database(), tmp_path / "roles")
        both = await asyncio.gather(found.forward(), found.forward())
        entered = [await found.enter(service) for service in OWNERS]
        for connection in entered:
            await connection.close()

        assert 3 == sum(len(done.roles) for done in both)
