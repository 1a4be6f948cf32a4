"""What is written beside a base backup, and what the server wrote into it: both are checked."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from libs.pg.faults import ServerFault
from libs.pg.lineage import Lineage
from libs.vault import BackupKey

__all__ = [
    "BASE_FILE",
    "MANIFEST_FILE",
    "BackupBroken",
    "Base",
    "read_manifest",
    "server_files",
    "write_manifest",
]

BASE_FILE: Final = "base.tar.sealed"
MANIFEST_FILE: Final = "manifest.json"


class BackupBroken(ServerFault):
    """A backup is not as it was written; the sentence names the piece."""


class Base(NamedTuple):
    """One base backup, as its manifest describes it."""

    directory: Path
    made_at: datetime  # When it was complete: no earlier moment can be reached from it.
    first_segment: str  # The WAL file with which recovery begins.
    size: int  # Of the sealed file, bytes.
    sha256: str
    key_id: str
    lineage: Lineage


def server_files(text: bytes, path: Path) -> dict[str, tuple[int, str]]:
    """Return size and SHA-256 by name, as the server's own manifest says; raises BackupBroken."""
    try:
        body = text[: text.rindex(b'"Manifest-Checksum"')]
        content = json.loads(text)
        checksum = content["Manifest-Checksum"]
        files = {
            each.get("Path") or bytes.fromhex(each["Encoded-Path"]).decode("latin-1"): (
                int(each["Size"]),
                str(each["Checksum"]),
            )
            for each in content["Files"]
        }
    except (ValueError, KeyError, TypeError):
        raise BackupBroken(f"{path}: the server's manifest is missing or cut") from None
    if hashlib.sha256(body).hexdigest() != checksum:
        raise BackupBroken(f"{path}: the server's manifest was changed")
    return files


def write_manifest(path: Path, base: Base, key: BackupKey) -> None:
    """Write what a base backup is; only a holder of the key can make or change it."""
    known = {
        "made_at": base.made_at.isoformat(),
        "first_segment": base.first_segment,
        "server": base.lineage._asdict(),
        "pieces": [{"name": BASE_FILE, "bytes": base.size, "sha256": base.sha256}],
        "key": key.id,
    }
    text = json.dumps({**known, "mac": key.mac(_canonical(known))}, indent=1)
    path.write_text(f"{text}\n")


def read_manifest(path: Path, key: BackupKey) -> Base:
    """Return the base backup that a manifest describes; raises BackupBroken."""
    try:
        known: dict[str, Any] = json.loads(path.read_text())
        mac = known.pop("mac")
        piece = known["pieces"][0]
        base = Base(
            path.parent,
            datetime.fromisoformat(known["made_at"]).astimezone(UTC),
            str(known["first_segment"]),
            int(piece["bytes"]),
            str(piece["sha256"]),
            str(known["key"]),
            Lineage(**known["server"]),
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        raise BackupBroken(f"{path} cannot be read as a manifest") from None
    if base.key_id != key.id:
        raise BackupBroken(f"{path} needs backup key {base.key_id}; the one given is {key.id}")
    if mac != key.mac(_canonical(known)):
        raise BackupBroken(f"{path} was changed by somebody who does not have the backup key")
    return base


def _canonical(known: dict[str, Any]) -> bytes:
    return json.dumps(known, sort_keys=True, separators=(",", ":")).encode()
