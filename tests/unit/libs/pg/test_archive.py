"""The archive of the log: written once, never over another, holes are named."""

from pathlib import Path

import pytest

from libs.pg.archive import ArchiveConflict, WalArchive
from libs.vault import BackupKey, SealBroken

KEY = BackupKey(bytes(range(32)))
FIRST = "000000010000000000000002"


def segment(number: int, *, timeline: int = 1) -> str:
    """Return the name of the n-th segment."""
    return f"{timeline:08X}{number // 256:08X}{number % 256:08X}"


def a_file(directory: Path, name: str, content: bytes = b"log") -> Path:
    """Write what the receiver would leave."""
    path = directory / name
    path.write_bytes(content)
    return path


class TestPut:
    def test_keeps_a_file_once(self, tmp_path: Path) -> None:
        """The same file again changes nothing, another content under its name is refused."""
        archive = WalArchive(tmp_path, KEY)

        assert archive.put(a_file(tmp_path, FIRST))
        assert not archive.put(a_file(tmp_path, FIRST))
        with pytest.raises(ArchiveConflict, match=FIRST):
            archive.put(a_file(tmp_path, FIRST, b"other"))
        assert b"log" == b"".join(archive.read(FIRST))

    def test_takes_the_place_of_the_partial_one(self, tmp_path: Path) -> None:
        """A partial file is replaced as it grows and goes once the whole one is there."""
        archive = WalArchive(tmp_path, KEY)
        partial = f"{FIRST}.partial"
        for content in (b"l", b"lo"):
            archive.put_partial(a_file(tmp_path, partial, content))
        grown = b"".join(archive.read(partial))

        archive.put(a_file(tmp_path, FIRST))
        archive.put_partial(a_file(tmp_path, partial, b"late"))

        assert (b"lo", [FIRST]) == (grown, archive.names())

    def test_leaves_out_what_the_receiver_only_fills_up(self, tmp_path: Path) -> None:
        """Zeros on the way to a whole segment are no log, and too short for PostgreSQL."""
        archive = WalArchive(tmp_path, KEY)

        assert not archive.put_partial(a_file(tmp_path, f"{FIRST}.partial", bytes(5_439_488)))
        assert [] == archive.names()

    def test_does_not_open_under_another_name(self, tmp_path: Path) -> None:
        """A file that somebody renamed is not taken for another stretch of the log."""
        archive = WalArchive(tmp_path, KEY)
        archive.put(a_file(tmp_path, FIRST))
        (archive.directory / f"{FIRST}.sealed").rename(archive.directory / f"{segment(3)}.sealed")

        with pytest.raises(SealBroken):
            list(archive.read(segment(3)))


class TestReach:
    def test_names_the_first_hole(self, tmp_path: Path) -> None:
        """What lies behind a hole cannot be reached; timelines and the 256th file are no hole."""
        archive = WalArchive(tmp_path, KEY)
        for number, timeline in ((254, 1), (255, 1), (256, 2), (259, 2)):
            archive.put(a_file(tmp_path, segment(number, timeline=timeline)))

        reach = archive.reach(segment(254))

        assert (4, segment(256, timeline=2)) == (reach.files, reach.last)
        assert ("1/1", "1/2") == reach.missing

    def test_counts_the_file_that_is_being_written(self, tmp_path: Path) -> None:
        """A partial file leads to the newest moment."""
        archive = WalArchive(tmp_path, KEY)
        archive.put(a_file(tmp_path, FIRST))
        archive.put_partial(a_file(tmp_path, f"{segment(3)}.partial"))

        assert (f"{segment(3)}.partial", ()) == archive.reach(FIRST)[1:]
        assert [FIRST, f"{segment(3)}.partial"] == archive.needed_from(FIRST)
        assert [f"{segment(3)}.partial"] == archive.needed_from(segment(3))
