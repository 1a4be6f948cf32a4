"""Where the brokers are, how they are spoken to, and how patient we are; read by main only."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from libs.bus.faults import BusUnavailable


class KafkaSettings(BaseModel):
    """LESKO_KAFKA__*: brokers as host:port, several with commas between; the rest where they ask.

    ``ca_file`` (PEM) turns TLS on, ``username`` SASL.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    bootstrap: str = Field(pattern=r"^[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*$")
    ca_file: Path | None = None
    username: str | None = None
    password: SecretStr | None = None
    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"

    @model_validator(mode="before")
    @classmethod
    def _read_file(cls, data: Any) -> Any:
        """Take the password from ``password_file`` where none is given."""
        if not isinstance(data, dict) or data.get("password") or not data.get("password_file"):
            return data
        try:
            return {**data, "password": Path(data["password_file"]).read_text().strip()}
        except OSError as problem:
            message = f"the file that password_file names cannot be read ({problem.strerror})"
            raise ValueError(message) from None

    @model_validator(mode="after")
    def _check_pair(self) -> "KafkaSettings":
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password come together, or neither")
        return self

    def hosts(self) -> list[tuple[str, int]]:
        """Return the brokers to begin with."""
        pairs = (each.rsplit(":", 1) for each in self.bootstrap.split(","))
        return [(host, int(port)) for host, port in pairs]

    def security(self) -> dict[str, Any]:
        """Return what every client of aiokafka takes as arguments.

        Reads ``ca_file``; raises BusUnavailable when that cannot be used.
        """
        secure = {
            (False, False): "PLAINTEXT",
            (True, False): "SSL",
            (False, True): "SASL_PLAINTEXT",
            (True, True): "SASL_SSL",
        }[self.ca_file is not None, self.username is not None]
        arguments: dict[str, Any] = {"security_protocol": secure}
        if self.ca_file is not None:
            try:
                arguments["ssl_context"] = ssl.create_default_context(cafile=str(self.ca_file))
            except OSError as problem:
                message = f"the certificates in {self.ca_file} cannot be used ({problem.strerror})"
                raise BusUnavailable(message) from None
        if self.username is not None and self.password is not None:
            arguments["sasl_mechanism"] = self.mechanism
            arguments["sasl_plain_username"] = self.username
            arguments["sasl_plain_password"] = self.password.get_secret_value()
        return arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaLimits:
    """Patience and bounds of the adapter; tests shorten them."""

    # Watching the cluster.
    ask_ms: int = 3_000  # One question about topics, with its connection.
    watch_ms: int = 500  # Pause between two looks.
    fresh_ms: int = 2_000  # How old a look may be when records are given out.
    # Sending.
    in_flight_bytes_max: int = 32 * 1024 * 1024
    batch_bytes: int = 512 * 1024  # Also the largest record; below the brokers' 1 MB.
    request_ms: int = 10_000  # Without an answer that long a connection is made anew.
    stuck_ms: int = 8_000  # Without any success that long, a producer or consumer is replaced.
    start_ms: int = 10_000  # A producer, or a consumer without a group.
    # Reading.
    fetch_wait_ms: int = 100  # How long a broker holds a fetch that finds nothing.
    fetch_bytes_max: int = 16 * 1024 * 1024
    partition_bytes_max: int = 2 * 1024 * 1024
    waiting_records_max: int = 20_000  # From here on a reader fetches no more.
    proof_ms: int = 1_000  # What an empty take may wait longer until a broker says so.
    session_ms: int = 10_000
    heartbeat_ms: int = 2_000
    join_ms: int = 30_000  # Until a group has given us partitions.
    commit_ms: int = 250
    close_ms: int = 3_000  # Each part that is closed.
