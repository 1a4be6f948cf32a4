"""What is read of a base backup is compared with what the server wrote down of it."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from libs.pg.backup import read_base
from libs.pg.base_manifest import BASE_FILE, BackupBroken
from libs.pg.lineage import Lineage, history_of
from libs.vault import BackupKey, seal_file

KEY = BackupKey(bytes(range(32)))
LABEL = b"START WAL LOCATION: 0/28 (file 000000020000000000000003)\n"
HISTORY = b"1\t0/2\tno recovery target specified\n"
FILES = {
    "backup_label": LABEL,
    "global/pg_control": (7).to_bytes(8, "little") + b"rest",
    "base/1/1259": b"rows",
}


def a_manifest(files: dict[str, bytes]) -> bytes:
    """Write what the server would write of these files."""
    known = [
        {"Path": name, "Size": len(content), "Checksum": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    ]
    body = json.dumps({"Files": known})[:-1] + ", "
    return f'{body}"Manifest-Checksum": "{hashlib.sha256(body.encode()).hexdigest()}"}}'.encode()


def a_base(directory: Path, files: dict[str, bytes], manifest: bytes) -> Path:
    """Seal a copy of a server."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        history = {"pg_wal/00000002.history": HISTORY}
        for name, content in {**files, **history, "backup_manifest": manifest}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    seal_file(directory / BASE_FILE, KEY, BASE_FILE, [held.getvalue()])
    return directory / BASE_FILE


def test_a_whole_copy_says_whose_it_is(tmp_path: Path) -> None:
    """Its server, its timeline with its history, and where its log begins."""
    path = a_base(tmp_path, FILES, a_manifest(FILES))

    content = read_base(path, KEY, lambda _, __: None)

    expected = ("000000020000000000000003", Lineage(7, 2, history_of(HISTORY)), len(FILES))
    assert expected == content


@pytest.mark.parametrize(
    "found",
    [
        {**FILES, "base/1/1259": b"rowS"},
        {**FILES, "base/1/1259": b"rows and more"},
        {name: content for name, content in FILES.items() if name != "base/1/1259"},
    ],
    ids=["changed", "longer", "missing"],
)
def test_a_file_that_is_not_as_the_server_wrote_it_is_named(
    tmp_path: Path, found: dict[str, bytes]
) -> None:
    """The server read another page than the one that came: the copy is refused."""
    path = a_base(tmp_path, found, a_manifest(FILES))

    with pytest.raises(BackupBroken, match="base/1/1259 is missing or not as the server wrote it"):
        read_base(path, KEY, lambda _, __: None)


def test_a_changed_manifest_of_the_server_is_named(tmp_path: Path) -> None:
    """What it says of files is itself checked."""
    changed = a_manifest(FILES).replace(b"base/1/1259", b"base/1/1260")
    path = a_base(tmp_path, FILES, changed)

    with pytest.raises(BackupBroken, match="was changed"):
        read_base(path, KEY, lambda _, __: None)
