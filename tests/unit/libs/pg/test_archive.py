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

    def test_replaces_no_partial_file_of_another_server(self, tmp_path: Path) -> None:
        """Neither a longer partial file nor a whole one goes over what it does not go on from."""
        archive = WalArchive(tmp_path, KEY)
        partial = f"{FIRST}.partial"
        archive.put_partial(a_file(tmp_path, partial, b"log is\0\0"))
        other = WalArchive(tmp_path, KEY)

        with pytest.raises(ArchiveConflict, match=FIRST):
            other.put_partial(a_file(tmp_path, partial, b"lot more"))
        with pytest.raises(ArchiveConflict, match=FIRST):
            other.put(a_file(tmp_path, FIRST, b"lot more"))
        assert other.put_partial(a_file(tmp_path, partial, b"log\0\0\0\0\0"))
        assert b"log is\0\0" == b"".join(archive.read(partial))

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
        """What lies behind a hole cannot be reached; the 256th file is no hole."""
        archive = WalArchive(tmp_path, KEY)
        for number in (254, 255, 256, 259):
            archive.put(a_file(tmp_path, segment(number)))

        reach = archive.reach(segment(254))

        assert (4, segment(256)) == (reach.files, reach.last)
        assert ("1/1", "1/2") == reach.missing

    def test_fills_no_hole_from_another_timeline(self, tmp_path: Path) -> None:
        """What a server wrote before it was restored is not what it has written since."""
        archive = WalArchive(tmp_path, KEY)
        of_it = [segment(number, timeline=2) for number in (2, 5)]
        for name in (*(segment(number) for number in (2, 3, 4, 5, 6)), *of_it):
            archive.put(a_file(tmp_path, name))
        archive.put(a_file(tmp_path, "00000002.history"))

        assert (2, of_it[0], ("0/3", "0/4")) == archive.reach(of_it[0])
        assert ["00000002.history", *of_it] == archive.needed_from(of_it[0])

    def test_counts_the_file_that_is_being_written(self, tmp_path: Path) -> None:
        """A partial file leads to the newest moment."""
        archive = WalArchive(tmp_path, KEY)
        archive.put(a_file(tmp_path, FIRST))
        archive.put_partial(a_file(tmp_path, f"{segment(3)}.partial"))

        assert (f"{segment(3)}.partial", ()) == archive.reach(FIRST)[1:]
        assert [FIRST, f"{segment(3)}.partial"] == archive.needed_from(FIRST)
        assert [f"{segment(3)}.partial"] == archive.needed_from(segment(3))
