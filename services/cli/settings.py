"""The knobs of the ``lesko`` command itself; services read their own."""

from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from libs.bus.kafka.settings import KafkaSettings
from libs.heads import HeadsSettings
from libs.settings import LeskoSettings, PostgresChoice
from libs.vault import BACKUP_KEY_FILE


class VaultPart(BaseModel):
    """LESKO_VAULT__*: where keys are; None: ``keys`` below the home directory."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    keys_directory: Path | None = None


class PostgresPart(PostgresChoice):
    """LESKO_POSTGRES__*: the database and, where each service's own login is made, its roles."""

    binaries: Path | None = None  # PostgreSQL's programs, for ``lesko run``; None: what is found.
    roles_directory: Path | None = None  # The roles' passwords; None: ``database`` by the keys.
    role_prefix: str = Field(default="lesko", pattern="^[a-z][a-z0-9_]{0,40}$")


class LoginPart(BaseModel):
    """LESKO_<SERVICE>__POSTGRES__*: a service's own login; empty: made of LESKO_POSTGRES__DSN."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    postgres: PostgresChoice = PostgresChoice()


class BridgePart(BaseModel):
    """LESKO_ISO_BRIDGE__*: where the terminal port is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(default=8583, ge=0, le=65_535)


class BackupPart(PostgresChoice):
    """LESKO_BACKUP__*: where copies of the database go; its DSN is of a role with REPLICATION.

    Without one our own server's superuser is used.
    """

    directory: Path | None = None  # Set: the server's log is archived there all the time.
    key_file: Path | None = None  # None: ``backup.key`` beside the other keys.
    binaries: Path | None = None  # PostgreSQL's client programs; None: those that are found.


class WebPart(BaseModel):
    """LESKO_WEB__*: where health and metrics are."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(default=8580, ge=0, le=65_535)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class AdminPart(LoginPart):
    """LESKO_ADMIN__*: where admin's API is; without ``url`` on this machine at the port."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    port: int = Field(default=8590, ge=0, le=65_535)
    tls_certificate: Path | None = None  # Given: admin on this machine speaks TLS.
    url: str | None = None
    ca_file: Path | None = None  # PEM, where admin's certificate is of an authority of one's own.
    timeout_ms: int = Field(default=120_000, ge=1_000)  # A whole import or a whole audit.

    @property
    def address(self) -> str:
        """Where commands find admin."""
        scheme = "http" if self.tls_certificate is None else "https"
        return self.url or f"{scheme}://127.0.0.1:{self.port}"

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if not self.url:
            return self
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            message = "url is no address of admin; write it like https://admin.example:8590"
            raise ValueError(message)
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            message = "url would send passwords over the network in clear: use https"
            raise ValueError(message)
        return self


class Settings(LeskoSettings):
    """Where the command keeps its things and where it finds the switch."""

    home: Path = Path("var")
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    ready_ms_max: int = Field(default=60_000, ge=1_000)
    postgres: PostgresPart = PostgresPart()  # Empty: ``lesko run`` starts one of its own.
    kafka: KafkaSettings | None = None  # None: the memory bus, all services in one process.
    vault: VaultPart = VaultPart()
    iso_bridge: BridgePart = BridgePart()
    web: WebPart = WebPart()
    backup: BackupPart = BackupPart()
    heads: HeadsSettings = HeadsSettings()
    admin: AdminPart = AdminPart()
    card_ledger: LoginPart = LoginPart()
    authorization: LoginPart = LoginPart()

    @property
    def roles_directory(self) -> Path:
        """Where the passwords of the services' roles are."""
        return self.postgres.roles_directory or self.keys_directory / "database"

    @property
    def heads_directory(self) -> Path:
        """Where heads of the chains are kept outside of the database."""
        return self.heads.directory or self.home / "heads"

    @property
    def backup_key_file(self) -> Path:
        """Where the key of backups is."""
        return self.backup.key_file or self.keys_directory / BACKUP_KEY_FILE

    @property
    def keys_directory(self) -> Path:
        """Where keys are read from."""
        return self.vault.keys_directory or self.home / "keys"
