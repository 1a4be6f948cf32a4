"""The archive of a server's log (WAL): sealed files that are written once, and kept up to date."""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from libs.pg.faults import ServerFault
from libs.pg.lineage import Lineage, bind
from libs.vault import BackupKey, Sealed, open_sealed, seal_file

__all__ = ["ArchiveConflict", "Reach", "WalArchive", "is_segment", "position_of", "timeline_of"]

_SEGMENT: Final = re.compile(r"[0-9A-F]{24}")
_HISTORY: Final = re.compile(r"[0-9A-F]{8}\.history")
_PARTIAL: Final = ".partial"
_SEALED: Final = ".sealed"
_PIECE: Final = 1 << 20
_PAGE_HEAD: Final = 8  # Bytes that a written page never has all zero: its mark, kind and timeline.
_SEGMENTS_PER_LOG: Final = 256  # Of 16 MB, as servers have them unless they are told otherwise.
_LIST: Final = "manifest.jsonl"


class ArchiveConflict(ServerFault):
    """Another server wrote a file of this name: two servers must not share an archive."""


class Reach(NamedTuple):
    """How far an archive goes without a hole."""

    files: int
    last: str  # The last file that can be reached; partial ones count. Empty: none.
    missing: tuple[str, ...]  # Positions of the first hole, as ``1/A5``; empty: none.


class WalArchive:
    """Files below ``<directory>/wal``. One keeper at a time writes; anybody may read."""

    def __init__(self, directory: Path, key: BackupKey) -> None:
        self._whole = directory
        self.directory = directory / "wal"
        self._key = key
        self._partial_digest = ""

    def bind(self, lineage: Lineage) -> Lineage:
        """Make the directory this server's if it is nobody's; return whose it is."""
        return bind(self._whole, self._key, lineage)

    def put(self, path: Path) -> bool:
        """Seal a file under its own name; False when the same one is there already.

        Whole or not at all, synced before it returns. Raises ArchiveConflict where another content
        stands under this name, and OSError.
        """
        name = path.name
        final = self._path(name)
        if final.exists():
            self._check_same(name, path)
            return False
        self._has_grown(f"{name}{_PARTIAL}", path.read_bytes())
        draft, sealed = self._draft(path, name)
        try:
            os.link(draft, final)  # Unlike a rename it never replaces anything.
        finally:
            draft.unlink()
        self._sync()
        self._note(name, sealed)
        self._path(f"{name}{_PARTIAL}").unlink(missing_ok=True)
        return True

    def put_partial(self, path: Path) -> bool:
        """Seal the file that is still being written; a later one takes its place.

        False for one that holds no log yet: its receiver first fills it with zeros up to its size,
        and PostgreSQL refuses to start on a segment that is shorter. One that was received anew
        from its beginning does not replace what is further. Raises ArchiveConflict and OSError.
        """
        content = path.read_bytes()
        if not any(content[:_PAGE_HEAD]):
            return False
        digest = hashlib.sha256(content).hexdigest()
        name = path.name
        if digest == self._partial_digest or self._path(name.removesuffix(_PARTIAL)).exists():
            return True
        if not self._has_grown(name, content):
            return True
        draft, _ = self._draft(path, name)
        draft.replace(self._path(name))
        self._sync()
        self._partial_digest = digest
        return True

    def names(self) -> list[str]:
        """Return what is archived, in order, without the endings of sealing."""
        found = (path.name.removesuffix(_SEALED) for path in self.directory.glob(f"*{_SEALED}"))
        return sorted(name for name in found if not name.startswith("."))

    def read(self, name: str) -> Iterator[bytes]:
        """Yield a file's content; raises SealBroken."""
        return open_sealed(self._path(name), self._key, name)

    def reach(self, first: str) -> Reach:
        """Tell how far the log goes from a segment on; other timelines are another's log."""
        names = [name for name in self.names() if _leads_on(name, first)]
        start = position_of(first)
        by_position = {position_of(name): name for name in names}
        last, position = "", start
        while position in by_position:
            last = by_position[position]
            position += 1
        beyond = [number for number in by_position if number > position]
        missing = tuple(
            f"{number // _SEGMENTS_PER_LOG:X}/{number % _SEGMENTS_PER_LOG:X}"
            for number in (range(position, min(beyond)) if beyond else ())
        )
        return Reach(len(names), last, missing)

    def needed_from(self, first: str) -> list[str]:
        """Return histories, and from a segment on those of its timeline, of partial ones the last.

        Histories tell the server which timelines are taken.
        """
        names = self.names()
        whole = {name for name in names if _SEGMENT.fullmatch(name)}
        return [
            name
            for name in names
            if _HISTORY.fullmatch(name)
            or (
                _leads_on(name, first)
                and position_of(name) >= position_of(first)
                and (name in whole or name.removesuffix(_PARTIAL) not in whole)
            )
        ]

    def _check_same(self, name: str, path: Path) -> None:
        kept = hashlib.sha256()
        for piece in self.read(name):
            kept.update(piece)
        if kept.digest() != hashlib.sha256(path.read_bytes()).digest():
            raise self._conflict(name)

    def _has_grown(self, partial: str, content: bytes) -> bool:
        """Tell whether this goes on from what is kept of a segment; raises ArchiveConflict."""
        if not self._path(partial).exists():
            return True
        kept = b"".join(self.read(partial)).rstrip(b"\0")  # Zeros are what is not written yet.
        found = content.rstrip(b"\0")
        both = min(len(kept), len(found))
        if kept[:both] != found[:both]:
            raise self._conflict(partial)
        return len(found) >= len(kept)

    def _conflict(self, name: str) -> ArchiveConflict:
        return ArchiveConflict(
            f"{self.directory} has another {name}: it belongs to another server;"
            " give each server a directory of its own"
        )

    def _draft(self, path: Path, name: str) -> tuple[Path, Sealed]:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.directory / f".{name}.draft"
        draft.unlink(missing_ok=True)  # A killed keeper left it.
        try:
            with path.open("rb") as file:
                pieces = iter(lambda: file.read(_PIECE), b"")
                return draft, seal_file(draft, self._key, name, pieces)
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def _note(self, name: str, sealed: Sealed) -> None:
        line = {"name": name, "bytes": sealed.size, "sha256": sealed.sha256}
        with (self.directory / _LIST).open("a") as file:
            file.write(f"{json.dumps(line)}\n")

    def _path(self, name: str) -> Path:
        return self.directory / f"{name}{_SEALED}"

    def _sync(self) -> None:
        handle = os.open(self.directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def is_segment(name: str) -> bool:
    """Tell whether a name is that of a segment, whole or partial."""
    return _SEGMENT.fullmatch(name.removesuffix(_PARTIAL)) is not None


def timeline_of(name: str) -> int:
    """Return the timeline of a segment or of a history file."""
    return int(name[:8], 16)


def _leads_on(name: str, first: str) -> bool:
    return is_segment(name) and timeline_of(name) == timeline_of(first)


def position_of(name: str) -> int:
    """Return where in the log a segment stands, without its timeline."""
    return int(name[8:16], 16) * _SEGMENTS_PER_LOG + int(name[16:24], 16)
