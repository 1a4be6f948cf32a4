"""The knobs of the ``lesko`` command itself; services read their own."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from libs.bus.kafka.settings import KafkaSettings
from libs.settings import LeskoSettings, PostgresChoice


class VaultPart(BaseModel):
    """LESKO_VAULT__*: where keys are; None: ``keys`` below the home directory."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    keys_directory: Path | None = None


class BridgePart(BaseModel):
    """LESKO_ISO_BRIDGE__*: where the terminal port is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(default=8583, ge=0, le=65_535)


class WebPart(BaseModel):
    """LESKO_WEB__*: where health and metrics are."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(default=8580, ge=0, le=65_535)


class Settings(LeskoSettings):
    """Where the command keeps its things and where it finds the switch."""

    home: Path = Path("var")
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    ready_ms_max: int = Field(default=60_000, ge=1_000)
    postgres: PostgresChoice = PostgresChoice()  # Empty: ``lesko run`` starts one of its own.
    kafka: KafkaSettings | None = None  # None: the memory bus, all services in one process.
    vault: VaultPart = VaultPart()
    iso_bridge: BridgePart = BridgePart()
    web: WebPart = WebPart()

    @property
    def keys_directory(self) -> Path:
        """Where keys are read from."""
        return self.vault.keys_directory or self.home / "keys"
