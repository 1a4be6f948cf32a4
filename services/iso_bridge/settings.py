"""All knobs of the edge; read from LESKO_* variables and nowhere else.

What is left out comes from the listener's dialect.
"""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from libs.settings import LeskoSettings, ZoneName

_EDC: Final = Path(__file__).resolve().parents[2] / "proto" / "iso8583" / "edc"
_DAY_MS: Final = 86_400_000


class TlsSettings(BaseModel):
    """A second port of a listener, with TLS."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: int = Field(ge=0, le=65_535)
    certificate: Path  # PEM, with its chain.
    key: Path  # PEM.


class ListenerSettings(BaseModel):
    """One address that terminals dial."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "edc"  # As terminals are bound to it in the registry.
    dialect_directory: Path = _EDC
    host: str | None = None
    port: int | None = Field(default=None, ge=0, le=65_535)
    tls: TlsSettings | None = None
    zone: ZoneName | None = None
    answer_ms: int | None = Field(default=None, ge=10, le=120_000)
    first_message_ms: int | None = Field(default=None, ge=10, le=_DAY_MS)
    frame_ms: int | None = Field(default=None, ge=10, le=_DAY_MS)
    idle_ms: int | None = Field(default=None, ge=10, le=_DAY_MS)
    keepalive_interval_ms: int | None = Field(default=None, ge=1_000, le=_DAY_MS)
    keepalive_count: int | None = Field(default=None, ge=1, le=100)
    dropped_in_a_row_max: int | None = Field(default=None, ge=1, le=1_000)
    sign_on_required: bool | None = None
    connections_max: int = Field(default=5_000, ge=1, le=100_000)
    unsent_bytes_max: int = Field(default=262_144, ge=1_024)
    # What one terminal may send; above it is silence, and its line is read more slowly.
    terminal_per_second: int = Field(default=500, ge=1, le=100_000)
    terminal_burst: int = Field(default=1_000, ge=1, le=1_000_000)


class BridgeKnobs(ListenerSettings):
    """LESKO_ISO_BRIDGE__*: the first listener, further ones as JSON, and the process itself."""

    more_listeners: tuple[ListenerSettings, ...] = ()
    answer_partition: int = Field(default=0, ge=0)  # This instance's own.
    # How long to wait for another bridge on it to object; 0: there can be none (memory bus).
    claim_ms: int = Field(default=1_000, ge=0, le=60_000)
    in_flight_max: int = Field(default=5_000, ge=1, le=1_000_000)
    send_timeout_ms: int = Field(default=3_000, ge=10, le=60_000)
    # Under load one send waits so long for others to come along; 0 on the memory bus.
    gather_ms: int = Field(default=2, ge=0, le=10)
    registry_wait_ms: int = Field(default=200, ge=1, le=1_000)  # A proven empty read ends it.
    sweep_ms: int = Field(default=250, ge=5, le=10_000)
    drain_ms: int = Field(default=10_000, ge=0, le=120_000)

    @property
    def listeners(self) -> tuple[ListenerSettings, ...]:
        """All listeners, the first one first."""
        return (self, *self.more_listeners)

    @model_validator(mode="after")
    def _names_differ(self) -> "BridgeKnobs":
        names = [listener.name for listener in self.listeners]
        if len(set(names)) != len(names):
            raise ValueError("two listeners have the same name; terminals are bound by it")
        return self


class VaultSettings(BaseModel):
    """Where the token key is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    keys_directory: Path


class Settings(LeskoSettings):
    """The edge's settings."""

    vault: VaultSettings
    iso_bridge: BridgeKnobs = BridgeKnobs()
