"""Base backups: a copy of the whole server, sealed while it comes in, and checked by reading it."""

import hashlib
import io
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from pydantic import SecretStr

from libs.pg.archive import timeline_of
from libs.pg.base_manifest import (
    BASE_FILE,
    MANIFEST_FILE,
    BackupBroken,
    Base,
    read_manifest,
    server_files,
    write_manifest,
)
from libs.pg.faults import ServerFault
from libs.pg.lineage import Lineage, bind, history_of, need_same
from libs.pg.replication import open_environment, place_of
from libs.pg.trouble import explain
from libs.vault import BackupKey, SealBroken, file_sha256, open_sealed, seal_file

__all__ = [
    "PIECE_BYTES",
    "Readable",
    "check_base",
    "find_bases",
    "open_base",
    "read_base",
    "take_base",
]

PIECE_BYTES: Final = 1 << 20
_PREFIX: Final = "base-"
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_LABEL: Final = "backup_label"
_CONTROL: Final = "global/pg_control"
_SYSTEM_BYTES: Final = 8  # With which the control file begins.
_HISTORY: Final = ".history"
_START: Final = re.compile(rb"START WAL LOCATION: .* \(file ([0-9A-F]{24})\)")


class Readable(Protocol):
    """A file that is read from beginning to end."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes; none at the end."""


Sink = Callable[[tarfile.TarInfo, Readable | None], None]
"""Hears every member in turn; what it reads of a file is what is checked."""


class _Content(NamedTuple):
    first_segment: str
    lineage: Lineage
    files: int


def take_base(
    dsn: SecretStr,
    directory: Path,
    key: BackupKey,
    *,
    home: Path,
    program: Path,
    now: Callable[[], datetime],
) -> Base:
    """Copy the server at ``dsn`` into a new folder of ``directory``, then read it back.

    ``program`` is pg_basebackup; the role needs REPLICATION; ``home`` keeps its password meanwhile.
    A directory is of one server on one timeline. Nothing is ever overwritten, and a copy that
    failed leaves nothing. Raises ServerFault, WrongServer and BackupBroken.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=directory))
    try:
        with open_environment(dsn, home) as environment:
            sealed = seal_file(
                draft / BASE_FILE, key, BASE_FILE, _copied(program, place_of(dsn), environment)
            )
        content = read_base(draft / BASE_FILE, key, _ignore)
        made_at = now()
        final = directory / f"{_PREFIX}{made_at.strftime(_STAMP)}"
        base = Base(
            final, made_at, content.first_segment, sealed.size, sealed.sha256, key.id,
            content.lineage,
        )  # fmt: skip
        need_same(directory, bind(directory, key, content.lineage), content.lineage)
        write_manifest(draft / MANIFEST_FILE, base, key)
        if final.exists():
            raise ServerFault(f"{final} is there already; nothing was overwritten.")
        draft.rename(final)
    except OSError as error:
        raise ServerFault(f"{directory} cannot be written: {explain(str(error))}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return base


def find_bases(directory: Path, key: BackupKey) -> list[Base]:
    """Return the base backups of a directory, oldest first; raises BackupBroken."""
    return sorted(
        (read_manifest(path, key) for path in directory.glob(f"{_PREFIX}*/{MANIFEST_FILE}")),
        key=lambda base: base.made_at,
    )


def check_base(base: Base, key: BackupKey) -> int:
    """Compare with the manifest, open, and compare every file with its checksum; return how many.

    Raises BackupBroken.
    """
    return open_base(base, key, _ignore)


def open_base(base: Base, key: BackupKey, sink: Sink) -> int:
    """Give every member to ``sink`` if this is the manifest's copy; return how many.

    Raises BackupBroken: what ``sink`` was given until then must not be used.
    """
    path = base.directory / BASE_FILE
    try:
        found = file_sha256(path)
    except OSError as error:
        raise BackupBroken(f"{path} cannot be read: {explain(str(error))}") from error
    if found != base.sha256:
        raise BackupBroken(f"{path} is not the file that its manifest describes")
    content = read_base(path, key, sink)
    if (content.first_segment, content.lineage) != (base.first_segment, base.lineage):
        raise BackupBroken(f"{path} is not the copy that its manifest describes")
    return content.files


def read_base(path: Path, key: BackupKey, sink: Sink) -> _Content:
    """Give every member to ``sink`` and compare each file with the server's own manifest.

    Raises BackupBroken: what ``sink`` was given until then must not be used.
    """
    reader = _BaseReader(sink)
    try:
        stream = _Stream(open_sealed(path, key, BASE_FILE))
        with tarfile.open(fileobj=io.BufferedReader(stream, PIECE_BYTES), mode="r|") as tar:
            for member in tar:
                reader.member(member, tar.extractfile(member) if member.isreg() else None)
        stream.drain()
    except (SealBroken, tarfile.TarError) as broken:
        raise BackupBroken(f"{path}: {broken}") from None
    return reader.finish(path)


class _BaseReader:
    """Notes the digest of every file that goes by."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._found: dict[str, tuple[int, str]] = {}
        self._manifest = b""
        self._kept: dict[str, bytes] = {}

    def member(self, member: tarfile.TarInfo, file: Readable | None) -> None:
        name = member.name.removeprefix("./")
        if file is None:
            self._sink(member, None)
        elif name == "backup_manifest":
            self._manifest = file.read()
        else:
            keep = name in (_LABEL, _CONTROL) or name.endswith(_HISTORY)
            watched = _Watched(file, keep=keep)
            self._sink(member, watched)
            watched.drain()
            self._found[name] = (watched.size, watched.digest.hexdigest())
            if keep:
                self._kept[name] = watched.kept

    def finish(self, path: Path) -> _Content:
        wanted = server_files(self._manifest, path)
        for name, expected in wanted.items():
            if self._found.get(name) != expected:
                raise BackupBroken(f"{path}: {name} is missing or not as the server wrote it")
        started = _START.search(self._kept.get(_LABEL, b""))
        if started is None:
            raise BackupBroken(f"{path}: it does not say where recovery begins")
        first = started[1].decode()
        system = int.from_bytes(self._kept.get(_CONTROL, b"")[:_SYSTEM_BYTES], sys.byteorder)
        history = self._kept.get(f"pg_wal/{first[:8]}{_HISTORY}")
        lineage = Lineage(system, timeline_of(first), history_of(history))
        return _Content(first, lineage, len(wanted))


class _Watched:
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: Readable, *, keep: bool) -> None:
        self._file = file
        self._keep = keep
        self.digest = hashlib.sha256()
        self.size = 0
        self.kept = b""

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        self.size += len(data)
        if self._keep:
            self.kept += data
        return data

    def drain(self) -> None:
        while self.read(PIECE_BYTES):
            pass


class _Stream(io.RawIOBase):
    """Pieces, read as one file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def drain(self) -> None:
        """Read to the end: only then is it known that nothing was cut off."""
        for _ in self._pieces:
            pass


def _copied(program: Path, place: str, environment: dict[str, str]) -> Iterator[bytes]:
    command: list[str | Path] = [
        program, f"--dbname={place}", "--pgdata=-", "--format=tar", "--wal-method=fetch",
        "--checkpoint=fast", "--manifest-checksums=SHA256", "--label=lesko", "--no-password",
    ]  # fmt: skip
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(  # noqa: S603 -- a program that find_binaries has tried
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            env=environment,
        ) as copy,
    ):
        assert copy.stdout is not None
        is_whole = False
        try:
            while piece := copy.stdout.read(PIECE_BYTES):
                yield piece
            is_whole = True
        finally:
            if not is_whole:  # Whoever wrote it down failed.
                copy.kill()
        if copy.wait() != 0:
            said.seek(0)
            reason = explain(said.read().decode(errors="replace"))
            raise ServerFault(f"The server could not be copied: {reason}")


def _ignore(_: tarfile.TarInfo, __: Readable | None) -> None:
    """Read nothing: whoever calls drains what is left."""
