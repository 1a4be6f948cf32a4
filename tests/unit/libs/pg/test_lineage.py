"""A directory of backups belongs to one server on one timeline, whoever comes first."""

from pathlib import Path

import pytest

from libs.pg.lineage import (
    SERVER_FILE,
    Lineage,
    WrongServer,
    bind,
    bound_to,
    need_same,
    system_of,
)
from libs.vault import BackupKey

KEY = BackupKey(bytes(range(32)))
MINE = Lineage(7_000_000_000_000_000_000, 1)


class TestBind:
    def test_keeps_the_first(self, tmp_path: Path) -> None:
        """A directory is nobody's, then for good whose it was made."""
        nobody = bound_to(tmp_path / "b", KEY)
        first = bind(tmp_path / "b", KEY, MINE)
        second = bind(tmp_path / "b", KEY, Lineage(MINE.system, 2, "ab"))

        assert (None, MINE, MINE) == (nobody, first, second)
        assert [SERVER_FILE] == [each.name for each in (tmp_path / "b").iterdir()]

    @pytest.mark.parametrize(
        "name", ["wal/000000010000000000000002.sealed", "base-x/manifest.json"]
    )
    def test_takes_over_nothing_unknown(self, tmp_path: Path, name: str) -> None:
        """Backups that do not say whose they are get no owner by whoever comes along."""
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()

        with pytest.raises(WrongServer, match="whose backups"):
            bind(tmp_path, KEY, MINE)

    def test_trusts_only_what_the_key_wrote(self, tmp_path: Path) -> None:
        """A changed note, one of another key, and one that cannot be read are refused."""
        bind(tmp_path, KEY, MINE)
        path = tmp_path / SERVER_FILE
        text = path.read_text()

        with pytest.raises(WrongServer, match="another backup key"):
            bound_to(tmp_path, BackupKey(bytes(32)))
        for changed in (text.replace('"timeline": 1', '"timeline": 2'), "{}", "x"):
            path.write_text(changed)
            with pytest.raises(WrongServer):
                bound_to(tmp_path, KEY)


class TestNeedSame:
    @pytest.mark.parametrize(
        ("found", "sentence"),
        [
            (Lineage(1, 1), "another server"),
            (Lineage(MINE.system, 2, "ab"), "before it was restored"),
        ],
    )
    def test_says_what_differs(self, found: Lineage, sentence: str) -> None:
        """Another server, and the same one after a restore."""
        need_same(Path("b"), MINE, MINE)
        with pytest.raises(WrongServer, match=sentence):
            need_same(Path("b"), MINE, found)

    def test_tells_two_restores_to_one_timeline_apart(self) -> None:
        """Two copies of a server may both become timeline 2; their histories differ."""
        with pytest.raises(WrongServer):
            need_same(Path("b"), Lineage(1, 2, "ab"), Lineage(1, 2, "cd"))


def test_a_segment_without_log_is_nobodys() -> None:
    """The receiver fills a segment with zeros before the first log comes."""
    assert 0 == system_of(bytes(32))
