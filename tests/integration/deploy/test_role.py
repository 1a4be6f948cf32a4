"""What PostgreSQL's image runs on an empty volume: it makes a role that owns its database."""

import os
import secrets
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg

from libs.pg.binaries import known_directories
from tests.conftest import PostgresServer

SCRIPT = Path(__file__).resolve().parents[3] / "deploy" / "docker" / "postgres" / "role.sh"
PASSWORD = 'it\'s "quoted" \\ $HOME `x`'


def psql_folder() -> str:
    """Return where psql is; every server of ours comes with it."""
    found = [str(each) for each in known_directories() if (each / "psql").exists()]
    on_path = shutil.which("psql")
    return found[0] if found else str(Path(on_path or "psql").parent)


def run_script(admin_dsn: str, name: str, folder: Path) -> None:
    """Run it under another role's name, because a test's server has the usual one already."""
    admin = urlsplit(admin_dsn)
    (folder / "password").write_text(f"{PASSWORD}\n")
    script = SCRIPT.read_text().replace("/run/secrets/lesko_password", str(folder / "password"))
    script = script.replace("ROLE lesko", f"ROLE {name}").replace(
        "DATABASE lesko", f"DATABASE {name}"
    )
    script = script.replace("OWNER lesko", f"OWNER {name}")
    script = script.replace("--username postgres", f"--username {admin.username}")
    environment = {
        "PATH": f"{psql_folder()}:{os.environ['PATH']}",
        "PGHOST": admin.hostname or "",
        "PGPORT": str(admin.port or 5432),
        "PGPASSWORD": unquote(admin.password or ""),
    }
    command = ["/bin/sh", "-c", script]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr


async def test_role_owns_its_database_and_is_no_superuser(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """It logs in with the password from the file, whatever is in it, and makes what it needs.

    Its schemas, and the roles of the services.
    """
    name = f"lesko_role_{secrets.token_hex(4)}"
    run_script(postgres_server.admin_dsn, name, tmp_path)
    try:
        parts = urlsplit(postgres_server.admin_dsn)
        own = await asyncpg.connect(
            urlunsplit(parts._replace(path=f"/{name}")), user=name, password=PASSWORD, timeout=10
        )
        await own.execute("CREATE SCHEMA card_ledger")
        await own.execute(f'CREATE ROLE "{name}_admin" LOGIN')
        await own.execute(f'DROP ROLE "{name}_admin"')
        is_super = await own.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        stranger = await own.fetchval(
            f"SELECT has_database_privilege('public', '{name}', 'CONNECT')"
        )
        await own.close()
    finally:
        admin = await asyncpg.connect(postgres_server.admin_dsn, timeout=10)
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await admin.execute(f'DROP ROLE IF EXISTS "{name}_admin", "{name}"')
        await admin.close()

    assert (False, False) == (is_super, stranger)
