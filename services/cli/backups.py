"""What commands about backups share: which server, with which program and key, to where."""

from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from libs.clock import Clock
from libs.pg.archive import WalArchive
from libs.pg.archive_keeper import keep_archive
from libs.pg.cluster import ADMIN, password_of
from libs.pg.place import Place
from libs.pg.replication import find_program
from libs.vault import BackupKey, read_backup_key
from services.cli.faults import CommandRefused
from services.cli.settings import Settings
from services.cli.standing import read_standing
from services.cli.wal_status import noting, spool_of

WAL_CHECK: Final = "backup.wal"
OWN_SERVER: Final = "postgres"
_MARKER: Final = "placed_elsewhere"


def need_directory(settings: Settings, given: Path | None) -> Path:
    """Return where backups go; raises CommandRefused when nothing says so."""
    found = given or settings.backup.directory
    if found is None:
        message = "Say where the backup goes: --to DIRECTORY, or LESKO_BACKUP__DIRECTORY."
        raise CommandRefused(message)
    return found.absolute()


def need_key(settings: Settings) -> BackupKey:
    """Return the key of backups; raises VaultFault: nothing is ever written without one."""
    return read_backup_key(settings.backup_key_file)


def source_of(settings: Settings) -> SecretStr:
    """Return whom to copy: LESKO_BACKUP__DSN, else our own server, else LESKO_POSTGRES__DSN."""
    if settings.backup.dsn is not None:
        return settings.backup.dsn
    own = _own_server(settings)
    given = settings.postgres.dsn
    if own is not None and (given is None or _leads_to(given, own)):
        return own
    if given is not None:
        return given
    message = (
        "No database is here to be copied: start lesko run, or let LESKO_BACKUP__DSN name a role "
        "with REPLICATION, as postgresql://user:password@host:5432/postgres."
    )
    raise CommandRefused(message)


def program_of(settings: Settings, name: str) -> Path:
    """Return a program of PostgreSQL's that fits the server; raises ServerFault."""
    major = None
    if settings.backup.binaries is None and _own_server(settings) is not None:
        major = Place(_root(settings), _home(_root(settings)), None).data_major
    return find_program(name, settings.backup.binaries, major=major)


async def keep_wal(
    settings: Settings, directory: Path, clock: Clock, report: Callable[[str | None], None]
) -> None:
    """Archive the server's log until cancelled; raises VaultFault, ServerFault, CommandRefused."""
    await keep_archive(
        source_of(settings),
        WalArchive(directory, need_key(settings)),
        spool_of(settings),
        clock,
        program=program_of(settings, "pg_receivewal"),
        report=noting(settings, clock, report),
    )


def _own_server(settings: Settings) -> SecretStr | None:
    """Return our own server's superuser, while a run is up."""
    root = _root(settings)
    password = password_of(Place(root, root, None), ADMIN)
    try:
        port = int((root / "port").read_text())
    except (OSError, ValueError):
        return None
    if password is None or read_standing(settings.home) is None:
        return None
    return SecretStr(f"postgresql://{ADMIN}:{password}@127.0.0.1:{port}/{ADMIN}?sslmode=disable")


def _leads_to(dsn: SecretStr, own: SecretStr) -> bool:
    return urlsplit(dsn.get_secret_value()).port == urlsplit(own.get_secret_value()).port


def _root(settings: Settings) -> Path:
    return settings.home.absolute() / OWN_SERVER


def _home(root: Path) -> Path:
    """Return where the data are when the server's user cannot reach the root."""
    try:
        return Path((root / _MARKER).read_text().strip())
    except OSError:
        return root
