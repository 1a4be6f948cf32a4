"""What LESKO_KAFKA__* may say, and what a client makes of it."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from libs.bus import BusUnavailable
from libs.bus.kafka.settings import KafkaSettings


class TestKafkaSettings:
    def test_speaks_plainly_where_nothing_is_asked(self) -> None:
        """Only an address: no TLS, no password."""
        settings = KafkaSettings(bootstrap="one:9092,two:9093")

        assert [("one", 9092), ("two", 9093)] == settings.hosts()
        assert {"security_protocol": "PLAINTEXT"} == settings.security()

    @pytest.mark.parametrize("bootstrap", ["", "host", "host:", ":9092", "a:1, b:2", "a:1,"])
    def test_refuses_what_is_no_address(self, bootstrap: str) -> None:
        """Each broker is host:port, commas between and nothing else."""
        with pytest.raises(ValidationError):
            KafkaSettings(bootstrap=bootstrap)

    def test_takes_the_password_from_a_file(self, tmp_path: Path) -> None:
        """The end of the line in the file is not part of it, and it is never shown."""
        file = tmp_path / "password"
        file.write_text("s3cret\n")

        settings = KafkaSettings.model_validate(
            {"bootstrap": "a:1", "username": "lesko", "password_file": str(file)}
        )

        arguments = settings.security()
        assert "SASL_PLAINTEXT" == arguments["security_protocol"]
        assert ("SCRAM-SHA-512", "lesko", "s3cret") == (
            arguments["sasl_mechanism"],
            arguments["sasl_plain_username"],
            arguments["sasl_plain_password"],
        )
        assert "s3cret" not in repr(settings)

    def test_names_a_file_that_cannot_be_read(self, tmp_path: Path) -> None:
        """A missing file is an error of the settings, not a missing password."""
        with pytest.raises(ValidationError, match="password_file"):
            KafkaSettings.model_validate(
                {"bootstrap": "a:1", "username": "x", "password_file": str(tmp_path / "none")}
            )

    def test_wants_username_and_password_together(self) -> None:
        """One without the other would silently connect as nobody."""
        with pytest.raises(ValidationError, match="together"):
            KafkaSettings(bootstrap="a:1", username="lesko")

    def test_says_which_certificates_cannot_be_used(self, tmp_path: Path) -> None:
        """A file that holds none is trouble with its name."""
        file = tmp_path / "ca.pem"
        file.write_text("nothing")

        with pytest.raises(BusUnavailable, match=r"ca\.pem"):
            KafkaSettings(bootstrap="a:1", ca_file=file).security()
