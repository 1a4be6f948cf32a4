"""The note of who is signed in: for its owner alone, whole or not there."""

import stat
from pathlib import Path

import pytest

from services.cli.admin_session import FILE, SignedIn, forget_session, keep_session, read_session
from services.cli.faults import CommandRefused

SESSION = SignedIn("https://admin.example", "ani", "token-of-ani")


class TestSession:
    def test_is_read_back_by_its_owner(self, tmp_path: Path) -> None:
        """Another one takes its place, and nobody else may read it."""
        home = tmp_path / "new"
        keep_session(home, SESSION._replace(login="budi"))
        keep_session(home, SESSION)

        assert SESSION == read_session(home)
        assert 0o600 == stat.S_IMODE((home / FILE).stat().st_mode)
        assert [FILE] == [path.name for path in home.iterdir()]

    def test_is_nobody_without_a_note(self, tmp_path: Path) -> None:
        """None there, one that is broken, one that was forgotten."""
        assert None is read_session(tmp_path)
        (tmp_path / FILE).write_text("{")
        assert None is read_session(tmp_path)
        keep_session(tmp_path, SESSION)
        forget_session(tmp_path)
        forget_session(tmp_path)
        assert None is read_session(tmp_path)

    def test_is_refused_once_others_could_read_it(self, tmp_path: Path) -> None:
        """Its token may be known: the person is told, and signs in anew."""
        keep_session(tmp_path, SESSION)
        (tmp_path / FILE).chmod(0o640)

        with pytest.raises(CommandRefused, match="open to other users"):
            read_session(tmp_path)

    def test_never_shows_its_token_by_itself(self) -> None:
        """The repr may stand in a traceback."""
        assert SESSION.token not in repr(SESSION)
