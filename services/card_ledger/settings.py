"""All knobs of the card ledger; read from LESKO_* variables and nowhere else."""

from pydantic import BaseModel, ConfigDict, Field

from libs.heads import HeadsSettings
from libs.settings import LeskoSettings, PostgresSettings, ZoneName


class LedgerKnobs(BaseModel):
    """LESKO_CARD_LEDGER__*."""

    model_config = ConfigDict(frozen=True)

    partitions: int = Field(default=8, ge=1, le=64)  # Fixed at the first start, then checked.
    business_zone: ZoneName = "Asia/Jayapura"
    lease_ms: int = Field(default=4_000, ge=1_000, le=60_000)
    batch_records_max: int = Field(default=500, ge=1, le=5_000)
    project_every_ms: int = Field(default=2_000, ge=100)
    project_rows_max: int = Field(default=10_000, ge=100)
    days_back: int = Field(default=90, ge=4, le=400)  # Reversals may be as old as keys are kept.
    days_ahead: int = Field(default=7, ge=2, le=30)
    send_timeout_ms: int = Field(default=5_000, ge=100)
    pool_size_max: int = Field(default=4, ge=3, le=50)
    holder: str = ""  # Shown to whoever waits for the lease; empty: host name and process id.


class Settings(LeskoSettings):
    """The card ledger's settings."""

    postgres: PostgresSettings
    card_ledger: LedgerKnobs = LedgerKnobs()
    heads: HeadsSettings = HeadsSettings()
