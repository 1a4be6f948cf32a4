"""Make a data directory with its roles, and write its settings; the server is not started here."""

import os
import secrets
import shutil
from pathlib import Path
from typing import Final

from libs.pg.binaries import Binaries
from libs.pg.faults import ServerFault
from libs.pg.place import Place, run, write_new

__all__ = ["ADMIN", "APPLICATION", "make_cluster", "password_of", "set_passwords", "write_settings"]

APPLICATION: Final = "lesko"  # The role, and the database that it owns.
ADMIN: Final = "postgres"
_BYTES_FREE_MIN: Final = 200 << 20  # A new cluster takes 60 MB, and one more segment of WAL.
_SHARED_BUFFERS_MB_MAX: Final = 1024
_SETTINGS: Final = """\
# Written anew at each start. Put settings of your own into operator.conf beside this file.
listen_addresses = '127.0.0.1'
unix_socket_directories = '{socket}'
shared_buffers = {shared_buffers_mb}MB
fsync = on
synchronous_commit = on
full_page_writes = on
wal_compression = on
max_wal_size = 4GB
checkpoint_timeout = 15min
jit = off
autovacuum_vacuum_insert_threshold = 10000
autovacuum_vacuum_insert_scale_factor = 0.05
autovacuum_analyze_scale_factor = 0.02
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%a '
log_error_verbosity = terse  # DETAIL repeats values of rows.
cluster_name = 'lesko'
include_if_exists = 'operator.conf'
"""


def password_of(place: Place, role: str) -> str | None:
    """Return the role's password as kept under the root; None when there is none."""
    try:
        return (place.root / f"{role}.password").read_text().strip() or None
    except FileNotFoundError:
        return None


def make_cluster(place: Place, binaries: Binaries) -> None:
    """Create data directory, roles and database; nothing stays when it fails in between.

    The data are checksummed, UTF-8, and sorted by code point, which no update of the machine's C
    library can change. Raises ServerFault.
    """
    _check_space(place.home)
    fresh, words = place.home / "data.new", place.home / "initdb.password"
    shutil.rmtree(fresh, ignore_errors=True)
    admin, application = _new_password(place, ADMIN), _new_password(place, APPLICATION)
    fresh.mkdir(mode=0o700)
    place.give(fresh, 0o700)
    try:
        place.give(write_new(words, f"{admin}\n"), 0o600)
        run(_initdb(binaries, fresh, words), place)
        _tell(
            place,
            binaries,
            fresh,
            # It makes the services' own roles. Before PostgreSQL 16 CREATEROLE also lets it join
            # the server's roles, and so act as the server's user: its password, which no service
            # gets, is as precious as the superuser's beside it.
            f"CREATE ROLE {APPLICATION} LOGIN CREATEROLE PASSWORD '{application}';",
            f"CREATE DATABASE {APPLICATION} OWNER {APPLICATION};",
            f"REVOKE ALL ON DATABASE {APPLICATION} FROM PUBLIC;",
        )
    except ServerFault:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    finally:
        words.unlink(missing_ok=True)
    fresh.replace(place.data)


def set_passwords(place: Place, binaries: Binaries) -> None:
    """Give both roles new passwords, where the files that held them were lost; server is down."""
    admin, application = _new_password(place, ADMIN), _new_password(place, APPLICATION)
    _tell(
        place,
        binaries,
        place.data,
        f"ALTER ROLE {ADMIN} PASSWORD '{admin}';",
        f"ALTER ROLE {APPLICATION} PASSWORD '{application}';",
    )


def write_settings(
    place: Place,
    socket: Path | None,
    shared_buffers_mb: int | None,
    *,
    data: Path | None = None,
) -> None:
    """Write postgresql.conf; shared buffers are a quarter of memory, 1 GB at most, if not given.

    ``data`` are those that are not in their place yet.
    """
    text = _SETTINGS.format(
        socket=str(socket or "").replace("'", "''"),
        shared_buffers_mb=shared_buffers_mb or _quarter_of_memory_mb(),
    )
    data = data or place.data
    fresh = write_new(data / "postgresql.conf.new", text)
    place.give(fresh, 0o600)
    fresh.replace(data / "postgresql.conf")


def _initdb(binaries: Binaries, data: Path, words: Path) -> list[str | Path]:
    return [
        binaries.directory / "initdb",
        f"--pgdata={data}",
        f"--username={ADMIN}",
        f"--pwfile={words}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--data-checksums",
    ]


def _tell(place: Place, binaries: Binaries, data: Path, *statements: str) -> None:
    """Run statements without a server, one a line."""
    program = binaries.directory / "postgres"
    run(
        [program, "--single", "-D", data, "-c", "exit_on_error=on", ADMIN],
        place,
        feed="\n".join([*statements, ""]),
    )


def _new_password(place: Place, role: str) -> str:
    password = secrets.token_urlsafe(24)
    place.keep(f"{role}.password", f"{password}\n")
    return password


def _check_space(directory: Path) -> None:
    free = shutil.disk_usage(directory).free
    if free < _BYTES_FREE_MIN:
        raise ServerFault(
            f"Only {free >> 20} MB are free in {directory}; "
            f"a new database needs {_BYTES_FREE_MIN >> 20} MB."
        )


def _quarter_of_memory_mb() -> int:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            memory = min(memory, int(Path(limit).read_text()))
        except (OSError, ValueError):
            continue  # No such kind of limit here, or "max".
    return min(max((memory >> 20) // 4, 32), _SHARED_BUFFERS_MB_MAX)
