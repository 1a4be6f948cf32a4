"""All knobs of authorization; read from LESKO_* variables and nowhere else."""

from pydantic import BaseModel, ConfigDict, Field

from libs.settings import LeskoSettings, PostgresSettings, ZoneName


class LedgerKnobs(BaseModel):
    """LESKO_CARD_LEDGER__*: what everybody who writes commands must count alike."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    partitions: int = Field(default=8, ge=1, le=64)
    business_zone: ZoneName = "Asia/Jayapura"


class AuthorizationKnobs(BaseModel):
    """LESKO_AUTHORIZATION__*."""

    model_config = ConfigDict(frozen=True)

    slot: int = Field(default=0, ge=0, le=999)  # Tells processes on one machine apart on Kafka.
    batch_records_max: int = Field(default=500, ge=1, le=5_000)
    cards_kept_max: int = Field(default=400_000, ge=2)  # About 300 bytes each, in all partitions.
    send_timeout_ms: int = Field(default=5_000, ge=100)
    pool_size_max: int = Field(default=2, ge=1, le=50)


class Settings(LeskoSettings):
    """The settings of authorization."""

    postgres: PostgresSettings
    card_ledger: LedgerKnobs = LedgerKnobs()
    authorization: AuthorizationKnobs = AuthorizationKnobs()
