"""All knobs of admin; read from LESKO_* variables and nowhere else."""

from ipaddress import ip_address
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from libs.heads import HeadsSettings
from libs.settings import LeskoSettings, PostgresSettings, ZoneName
from libs.web import Tls


class AdminKnobs(BaseModel):
    """LESKO_ADMIN__*."""

    model_config = ConfigDict(frozen=True)

    relay_every_ms: int = Field(default=500, ge=10, le=60_000)
    publish_again_every_ms: int = Field(default=3_600_000, ge=1_000)  # All rows; heals a lost tail.
    rows_max: int = Field(default=10_000, ge=1)  # In one publication.
    send_timeout_ms: int = Field(default=10_000, ge=100)
    pool_size_max: int = Field(default=4, ge=1, le=50)
    host: str = "127.0.0.1"
    port: int = Field(default=8590, ge=0, le=65_535)
    tls_certificate: Path | None = None  # PEM; needed wherever others than this machine can reach.
    tls_key: Path | None = None
    instance: int = Field(default=0, ge=0, le=3)  # Its own partition of admin.answers.v1.
    session_ms: int = Field(default=28_800_000, ge=60_000)  # 8 h, one shift.
    resend_every_ms: int = Field(default=1_000, ge=10, le=60_000)
    outbox_every_ms: int = Field(default=200, ge=10, le=60_000)  # And whenever somebody waits.
    commands_in_flight_max: int = Field(default=2, ge=1, le=100)  # Of each partition.
    ask_timeout_ms: int = Field(default=3_000, ge=100, le=60_000)  # What a card is; then it waits.

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            message = "tls_certificate and tls_key belong together: give both files or none"
            raise ValueError(message)
        if self.tls_certificate is None and not _is_loopback(self.host):
            message = "passwords would cross the network in clear: give tls_certificate and tls_key"
            raise ValueError(message)
        return self

    @property
    def tls(self) -> Tls | None:
        """The files for TLS; None: it is not used."""
        if self.tls_certificate is None or self.tls_key is None:
            return None
        return Tls(self.tls_certificate, self.tls_key)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class LedgerKnobs(BaseModel):
    """LESKO_CARD_LEDGER__*: what the ledger and we must count alike."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    business_zone: ZoneName = "Asia/Jayapura"


class VaultKnobs(BaseModel):
    """LESKO_VAULT__*: the keys under which second factors rest; serving needs them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    keys_directory: Path | None = None


class Settings(LeskoSettings):
    """The settings of admin."""

    postgres: PostgresSettings
    card_ledger: LedgerKnobs = LedgerKnobs()
    admin: AdminKnobs = AdminKnobs()
    heads: HeadsSettings = HeadsSettings()
    vault: VaultKnobs = VaultKnobs()
