"""Where heads are kept; read as part of a service's settings."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class HeadsSettings(BaseModel):
    """LESKO_HEADS__*."""

    model_config = ConfigDict(frozen=True)

    directory: Path | None = None  # None: ``heads`` below the home directory.
