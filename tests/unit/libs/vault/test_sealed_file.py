"""Sealed files: what comes out is what went in, or nothing that anybody could take for it."""

from pathlib import Path

import pytest

from libs.vault import (
    BackupKey,
    SealBroken,
    VaultFault,
    file_sha256,
    make_backup_key,
    open_sealed,
    read_backup_key,
    seal_file,
)
from libs.vault.sealed_file import CHUNK_BYTES

KEY = BackupKey(bytes(range(32)))
NOISE = bytes((number * 167 + number // 251) % 256 for number in range(1 << 16))
NAME = "piece"


def sealed(path: Path, pieces: list[bytes], key: BackupKey = KEY) -> Path:
    """Write a sealed file and return where."""
    seal_file(path, key, NAME, pieces)
    return path


def opened(path: Path, key: BackupKey = KEY, name: str = NAME) -> bytes:
    """Read it back."""
    return b"".join(open_sealed(path, key, name))


class TestSealFile:
    @pytest.mark.parametrize("size", [0, 1, len(NOISE)])
    def test_opens_as_it_was_written(self, tmp_path: Path, size: int) -> None:
        """Nothing, a byte, or more: the same bytes come out, and none of them stand in clear."""
        path = sealed(tmp_path / "f", [NOISE[:size], b"", NOISE[:size]])

        assert 2 * NOISE[:size] == opened(path)
        assert size < 64 or NOISE[:32] not in path.read_bytes()

    def test_opens_with_many_chunks(self, tmp_path: Path, random_bytes: bytes) -> None:
        """More than a chunk that does not shrink comes back in order."""
        path = sealed(tmp_path / "f", [random_bytes])

        assert path.stat().st_size > 2 * CHUNK_BYTES
        assert random_bytes == opened(path)

    def test_tells_size_and_digest(self, tmp_path: Path) -> None:
        """What is noted in a manifest is what lies on the disk."""
        told = seal_file(tmp_path / "f", KEY, NAME, [NOISE])

        assert told.sha256 == file_sha256(tmp_path / "f")
        assert (told.size, told.plain_size) == ((tmp_path / "f").stat().st_size, len(NOISE))

    def test_never_overwrites(self, tmp_path: Path) -> None:
        """A file that is there stays as it is."""
        path = sealed(tmp_path / "f", [b"first"])

        with pytest.raises(FileExistsError):
            seal_file(path, KEY, NAME, [b"second"])
        assert b"first" == opened(path)


@pytest.fixture(scope="module")
def random_bytes() -> bytes:
    """Give two and a half chunks that cannot be made smaller."""
    import os  # noqa: PLC0415 -- only here

    return os.urandom(CHUNK_BYTES * 5 // 2)


class TestOpenSealed:
    def test_refuses_another_key_or_name(self, tmp_path: Path) -> None:
        """A file opens only with its key, and only as what it was written."""
        path = sealed(tmp_path / "f", [NOISE])

        with pytest.raises(SealBroken, match="another key"):
            opened(path, BackupKey(bytes(32)))
        with pytest.raises(SealBroken):
            opened(path, name="other")

    def test_refuses_a_changed_byte(self, tmp_path: Path) -> None:
        """Wherever a bit flips behind the first bytes, the file does not open."""
        path = sealed(tmp_path / "f", [NOISE])
        whole = path.read_bytes()

        for place in (0, 9, 30, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:place] + bytes((whole[place] ^ 1,)) + whole[place + 1 :])
            with pytest.raises(SealBroken):
                opened(path)

    def test_refuses_a_cut_tail_and_swapped_chunks(
        self, tmp_path: Path, random_bytes: bytes
    ) -> None:
        """Whole chunks taken off the end, or changed in order, are noticed."""
        path = sealed(tmp_path / "f", [random_bytes])
        whole = path.read_bytes()
        head, size = 24, CHUNK_BYTES + 16
        first, second = whole[head : head + size], whole[head + size : head + 2 * size]

        for changed in (
            whole[: head + size],
            whole[: head + 2 * size],
            whole[:head],
            whole[:head] + second + first + whole[head + 2 * size :],
        ):
            path.write_bytes(changed)
            with pytest.raises(SealBroken):
                opened(path)


class TestBackupKey:
    def test_is_made_once_and_for_the_owner_alone(self, tmp_path: Path) -> None:
        """A second call leaves the first key; another one would open nothing."""
        path = tmp_path / "keys" / "backup.key"

        assert make_backup_key(path)
        first = path.read_text()
        assert not make_backup_key(path)
        assert (first, 0o600) == (path.read_text(), path.stat().st_mode & 0o777)
        assert read_backup_key(path).id == read_backup_key(path).id

    def test_is_missed_with_a_sentence(self, tmp_path: Path) -> None:
        """Without a key nothing is written or read; the sentence says how to get one."""
        with pytest.raises(VaultFault, match="lesko backup init-key"):
            read_backup_key(tmp_path / "backup.key")

    def test_shows_nothing_of_itself(self) -> None:
        """Neither its repr nor its id holds the key."""
        shown = repr(KEY) + KEY.id

        assert bytes(range(4)).hex() not in shown
