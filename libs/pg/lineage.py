"""Whose log and copies a directory of backups holds: one server, on one timeline, for good.

A restored server goes on under the same system identifier and counts segments further from where
it was brought back to. Were both kept in one place, the old one's segments would fill the holes of
the new one's log, and a later restore would give a history that no server ever had.
"""

import hashlib
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from libs.pg.faults import ServerFault
from libs.vault import BackupKey

__all__ = [
    "SERVER_FILE",
    "Lineage",
    "WrongServer",
    "bind",
    "bound_to",
    "history_of",
    "need_same",
    "system_of",
]

SERVER_FILE: Final = "server.json"
_ANOTHER: Final = "name an empty one (LESKO_BACKUP__DIRECTORY, --to) and run lesko backup"
_MAGIC_BYTES: Final = 2
_SYSTEM_AT: Final = 24  # In the long header with which every segment begins.
_SYSTEM_BYTES: Final = 8


class WrongServer(ServerFault):
    """A directory belongs to another server, or to this one before it was restored."""


class Lineage(NamedTuple):
    """One server on one timeline."""

    system: int  # PostgreSQL's system identifier; a copy of a server has the same.
    timeline: int  # Grows when a copy becomes a server of its own.
    history: str = ""  # SHA-256 of the timeline's history file; the first timeline has none.


def bind(directory: Path, key: BackupKey, lineage: Lineage) -> Lineage:
    """Make a directory this server's if it is nobody's; return whose it is.

    Raises WrongServer where backups lie that do not say whose they are, and OSError.
    """
    found = bound_to(directory, key)
    if found is not None:
        return found
    if any((directory / "wal").glob("*.sealed")) or any(directory.glob("base-*")):
        raise WrongServer(f"{directory} does not say whose backups it holds: {_ANOTHER}")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = {**lineage._asdict(), "key": key.id}
    draft = directory / f".{SERVER_FILE}.{os.getpid()}"
    with draft.open("w") as file:
        file.write(f"{json.dumps({**known, 'mac': key.mac(_canonical(known))})}\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        with suppress(FileExistsError):  # Of two at once the first one wins.
            os.link(draft, directory / SERVER_FILE)
    finally:
        draft.unlink()
    return bound_to(directory, key) or lineage


def bound_to(directory: Path, key: BackupKey) -> Lineage | None:
    """Return whose backups a directory holds, None: nobody's yet; raises WrongServer, OSError."""
    path = directory / SERVER_FILE
    try:
        known: dict[str, Any] = json.loads(path.read_text())
        mac = known.pop("mac")
        found = Lineage(int(known["system"]), int(known["timeline"]), str(known["history"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise WrongServer(f"{path} cannot be read") from None
    if mac != key.mac(_canonical(known)):
        raise WrongServer(f"{path} was written with another backup key, or changed")
    return found


def need_same(directory: Path, owner: Lineage, found: Lineage) -> None:
    """Raise WrongServer, with the one sentence, where they are not the same."""
    if owner.system != found.system:
        raise WrongServer(f"{directory} holds the backups of another server: {_ANOTHER}")
    if owner != found:
        raise WrongServer(
            f"{directory} holds the backups of this server before it was restored (timeline"
            f" {owner.timeline}, now {found.timeline}): {_ANOTHER}"
        )


def system_of(segment: bytes) -> int:
    """Return the system identifier in the head of a segment; 0: it holds no log yet."""
    if not any(segment[:_MAGIC_BYTES]):
        return 0
    return int.from_bytes(segment[_SYSTEM_AT : _SYSTEM_AT + _SYSTEM_BYTES], sys.byteorder)


def history_of(content: bytes | None) -> str:
    """Return how a lineage names the content of a history file; None: there is none."""
    return "" if content is None else hashlib.sha256(content).hexdigest()


def _canonical(known: dict[str, Any]) -> bytes:
    return json.dumps(known, sort_keys=True, separators=(",", ":")).encode()
