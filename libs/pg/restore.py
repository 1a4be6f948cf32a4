"""Bring a server back as it was at a moment: base backup, then its log, into an empty place."""

import os
import shutil
import tarfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from libs.pg.archive import WalArchive
from libs.pg.backup import PIECE_BYTES, Readable, find_bases, open_base
from libs.pg.base_manifest import BackupBroken, Base
from libs.pg.binaries import Binaries, find_binaries
from libs.pg.cluster import write_settings
from libs.pg.faults import ServerFault
from libs.pg.place import Place
from libs.pg.placing import ELSEWHERE, choose_place, make_root, reachable_binaries
from libs.pg.postmaster import launch, stop
from libs.pg.trouble import explain
from libs.tcp import free_port
from libs.vault import BackupKey, SealBroken

__all__ = ["choose_base", "restore_server"]

_STOP_S: Final = 60
_RECOVERY: Final = """
# Only while the server is brought back; gone afterwards.
restore_command = 'cp "{log}/%f" "%p"'
recovery_target_timeline = 'current'
recovery_target_action = 'promote'
hot_standby = off
"""
_LOGIN: Final = """\
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
"""

Report = Callable[[str], None]


def choose_base(bases: Sequence[Base], to: datetime | None) -> Base:
    """Return the newest base backup from which this moment can be reached; None: the last one.

    Raises ServerFault when there is none.
    """
    fitting = [base for base in bases if to is None or base.made_at <= to]
    if not fitting:
        first = f"; the first is of {bases[0].made_at.isoformat()}" if bases else ""
        raise ServerFault(f"There is no base backup from before that moment{first}.")
    return fitting[-1]


async def restore_server(
    directory: Path,
    key: BackupKey,
    root: Path,
    *,
    to: datetime | None,
    binaries: Path | None,
    report: Report,
    elsewhere: Path = ELSEWHERE,
) -> Base:
    """Make the data below ``root`` what they were at ``to``, or at the end of the log.

    ``root`` must be empty or absent; afterwards ``start_server`` runs on it. The server is started
    once, replays its log, becomes a server of its own (a new timeline) and ends.
    Raises ServerFault, BackupBroken.
    """
    _check_empty(root)
    base = choose_base(find_bases(directory, key), to)
    archive = WalArchive(directory, key)
    _check_reach(archive, base)
    place = choose_place(make_root(root), report, elsewhere=elsewhere)
    log = place.home / "wal.restore"
    fresh = place.home / "data.new"
    said = f"{base.made_at.isoformat()} (timeline {base.lineage.timeline})"
    report(f"Unpacking the base backup of {said} ...")
    try:
        _unpack(base, key, fresh, place)
        _unpack_log(archive, base, log, place)
        major = int((fresh / "PG_VERSION").read_text())
        found = reachable_binaries(find_binaries(binaries, major=major), place)
        _write_recovery(place, fresh, log, to)
        fresh.rename(place.data)  # From here on it starts, and only to go on with its recovery.
    except (OSError, ValueError) as error:
        raise ServerFault(f"{place.home} cannot be filled: {explain(str(error))}") from error
    report("Replaying the log ...")
    await _recover(place, found, report, archive, to)
    shutil.rmtree(log, ignore_errors=True)
    write_settings(place, None, None)
    return base


def _check_empty(root: Path) -> None:
    if root.exists() and any(root.iterdir()):
        raise ServerFault(f"{root} holds data; nothing is restored over data: name another place.")


def _check_reach(archive: WalArchive, base: Base) -> None:
    """Refuse a hole: it would end the replay quietly at its edge."""
    reach = archive.reach(base.first_segment)
    if reach.missing:
        raise BackupBroken(
            f"the log in {archive.directory} lacks {len(reach.missing)} files from"
            f" {reach.missing[0]} on; a moment before that can be reached only from a copy of the"
            " archive that ends there"
        )


def _unpack(base: Base, key: BackupKey, fresh: Path, place: Place) -> None:
    """Write the base backup; every file is compared with the server's manifest on the way."""
    fresh.mkdir(mode=0o700)
    place.give(fresh, 0o700)

    def write(member: tarfile.TarInfo, file: Readable | None) -> None:
        parts = Path(member.name).parts
        if member.name.startswith("/") or ".." in parts:
            raise BackupBroken(f"{base.directory} names a file outside of the data")
        path = fresh.joinpath(*(part for part in parts if part != "."))
        if member.isdir():
            path.mkdir(mode=0o700, exist_ok=True)
            place.give(path, 0o700)
        elif file is None:
            raise BackupBroken(f"{base.directory}: {member.name} is neither file nor folder")
        else:
            _write(path, iter(lambda: file.read(PIECE_BYTES), b""))
            place.give(path, 0o600)

    open_base(base, key, write)


def _unpack_log(archive: WalArchive, base: Base, log: Path, place: Place) -> None:
    log.mkdir(mode=0o700)
    place.give(log, 0o700)
    try:
        for name in archive.needed_from(base.first_segment):
            path = log / name.removesuffix(".partial")
            _write(path, archive.read(name))
            place.give(path, 0o600)
    except SealBroken as broken:
        raise BackupBroken(f"{archive.directory}: {broken}") from None


def _write(path: Path, pieces: Iterator[bytes]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        for piece in pieces:
            file.write(piece)


def _write_recovery(place: Place, fresh: Path, log: Path, to: datetime | None) -> None:
    write_settings(place, None, None, data=fresh)
    with (fresh / "postgresql.conf").open("a") as file:
        file.write(_RECOVERY.format(log=str(log).replace("'", "''")))
        if to is not None:
            file.write(f"recovery_target_time = '{to.isoformat()}'\n")
    for name, text in (("recovery.signal", ""), ("pg_hba.conf", _LOGIN)):
        path = fresh / name
        if not path.exists():  # A server elsewhere may keep its pg_hba.conf in another place.
            path.write_text(text)
            place.give(path, 0o600)
    for name in ("standby.signal", "postmaster.pid"):
        (fresh / name).unlink(missing_ok=True)


async def _recover(
    place: Place, binaries: Binaries, report: Report, archive: WalArchive, to: datetime | None
) -> None:
    try:
        server = await launch(place, binaries.directory / "postgres", free_port(), report)
    except ServerFault as fault:
        if to is not None and "recovery target" in str(fault):
            raise ServerFault(
                f"The log in {archive.directory} ends before {to.isoformat()}:"
                " name an earlier moment, or --to latest."
            ) from None
        raise
    if not await stop(server, seconds=_STOP_S):
        report("PostgreSQL did not end by itself and was ended at once.")
