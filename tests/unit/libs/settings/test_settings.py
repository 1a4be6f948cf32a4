"""What all settings share: secrets from files, zones that exist, values that are not shown."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from libs.settings import LeskoSettings, PostgresSettings, ZoneName

DSN = "postgresql://lesko:hunter2@127.0.0.1/lesko"


class Settings(LeskoSettings):
    postgres: PostgresSettings


class Zoned(BaseModel):
    zone: ZoneName


class TestPostgresSettings:
    def test_takes_the_dsn_from_a_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A file that holds the DSN does instead of a variable."""
        (tmp_path / "dsn").write_text(DSN + "\n")
        monkeypatch.setenv("LESKO_POSTGRES__DSN_FILE", str(tmp_path / "dsn"))

        assert DSN == Settings().postgres.dsn.get_secret_value()

    def test_names_a_file_that_is_not_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One sentence, no value."""
        monkeypatch.setenv("LESKO_POSTGRES__DSN_FILE", str(tmp_path / "none"))

        with pytest.raises(ValidationError, match="dsn_file names cannot be read"):
            Settings()

    def test_shows_no_password(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither in the settings nor in what goes wrong with them."""
        monkeypatch.setenv("LESKO_POSTGRES__DSN", DSN)

        assert "hunter2" not in repr(Settings())


class TestZoneName:
    def test_refuses_a_zone_that_does_not_exist(self) -> None:
        """It says what a zone looks like."""
        with pytest.raises(ValidationError, match="Asia/Jayapura"):
            Zoned(zone="Papua/Wamena")

    def test_takes_one_that_does(self) -> None:
        """The name is kept."""
        assert "Asia/Jayapura" == Zoned(zone="Asia/Jayapura").zone
