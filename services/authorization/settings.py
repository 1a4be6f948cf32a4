"""All knobs of authorization; read from LESKO_* variables and nowhere else."""

from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class PostgresSettings(BaseModel):
    """Where the cards are."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    dsn: SecretStr


class LedgerKnobs(BaseModel):
    """LESKO_CARD_LEDGER__*: what everybody who writes commands must count alike."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    partitions: int = Field(default=8, ge=1, le=64)
    business_zone: str = "Asia/Jayapura"

    @field_validator("business_zone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        ZoneInfo(name)
        return name


class AuthorizationKnobs(BaseModel):
    """LESKO_AUTHORIZATION__*."""

    model_config = ConfigDict(frozen=True)

    batch_records_max: int = Field(default=500, ge=1, le=5_000)
    cards_kept_max: int = Field(default=400_000, ge=2)  # About 300 bytes each, in all partitions.
    send_timeout_ms: int = Field(default=5_000, ge=100)
    pool_size_max: int = Field(default=2, ge=1, le=50)


class Settings(BaseSettings):
    """The settings of authorization."""

    model_config = SettingsConfigDict(
        env_prefix="LESKO_",
        env_nested_delimiter="__",
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    postgres: PostgresSettings
    card_ledger: LedgerKnobs = LedgerKnobs()
    authorization: AuthorizationKnobs = AuthorizationKnobs()
