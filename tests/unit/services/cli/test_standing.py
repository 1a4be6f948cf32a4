"""The note of a standing run is for its owner and dies with the process."""

import json
import os
import stat
from pathlib import Path

from pydantic import SecretStr

from services.cli.standing import FILE, leave_standing, read_standing


class TestStanding:
    def test_is_found_while_the_run_stands(self, tmp_path: Path) -> None:
        """Another command reads the DSN; only the owner may; afterwards it is gone."""
        with leave_standing(tmp_path, SecretStr("postgresql://x"), 8583, "broker:9092"):
            found = read_standing(tmp_path)
            mode = stat.S_IMODE((tmp_path / FILE).stat().st_mode)

        assert found is not None
        assert ("postgresql://x", 8583, "broker:9092", 0o600) == (
            found.dsn.get_secret_value(), found.edc_port, found.bootstrap, mode,
        )  # fmt: skip
        assert None is read_standing(tmp_path)

    def test_is_nothing_when_its_process_was_killed(self, tmp_path: Path) -> None:
        """A note whose process is gone is not believed, and does not hinder the next run."""
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        note = {"pid": child, "dsn": "postgresql://x", "edc_port": 1}
        (tmp_path / FILE).write_text(json.dumps(note))

        assert None is read_standing(tmp_path)
        with leave_standing(tmp_path, SecretStr("postgresql://y"), 2):
            assert None is not read_standing(tmp_path)

    def test_never_shows_the_dsn_by_itself(self, tmp_path: Path) -> None:
        """The password is not in the note's repr."""
        with leave_standing(tmp_path, SecretStr("postgresql://u:pass-word@h/d"), 8583):
            assert "pass-word" not in repr(read_standing(tmp_path))
