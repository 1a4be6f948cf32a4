"""All knobs of admin; read from LESKO_* variables and nowhere else."""

from pydantic import BaseModel, ConfigDict, Field

from libs.settings import LeskoSettings, PostgresSettings


class AdminKnobs(BaseModel):
    """LESKO_ADMIN__*."""

    model_config = ConfigDict(frozen=True)

    relay_every_ms: int = Field(default=500, ge=10, le=60_000)
    publish_again_every_ms: int = Field(default=3_600_000, ge=1_000)  # All rows; heals a lost tail.
    rows_max: int = Field(default=10_000, ge=1)  # In one publication.
    send_timeout_ms: int = Field(default=10_000, ge=100)
    pool_size_max: int = Field(default=1, ge=1, le=50)


class Settings(LeskoSettings):
    """The settings of admin."""

    postgres: PostgresSettings
    admin: AdminKnobs = AdminKnobs()
