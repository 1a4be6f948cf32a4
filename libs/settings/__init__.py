"""What the settings of all services share: where they are read from, and a few kinds of knobs."""

from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.settings.dsn import address_of, is_dsn

__all__ = ["LeskoSettings", "PostgresChoice", "PostgresSettings", "ZoneName", "address_of"]


class LeskoSettings(BaseSettings):
    """Read from LESKO_* variables, ``__`` for nesting; frozen, silent about values in errors."""

    model_config = SettingsConfigDict(
        env_prefix="LESKO_",
        env_nested_delimiter="__",
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )


def _dsn(dsn: SecretStr | None) -> SecretStr | None:
    if dsn is not None and not is_dsn(dsn):
        message = (
            "is no address of a database; write it like postgresql://user:password@host:port/name, "
            "special characters percent-encoded"
        )
        raise ValueError(message)
    return dsn


class _DsnFromFile(BaseModel):
    """Takes the DSN from ``dsn_file`` where none is given; secrets need no environment."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _read_file(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("dsn"):
            return data
        data = {name: value for name, value in data.items() if name != "dsn"}  # Empty: not given.
        if not data.get("dsn_file"):
            return data
        try:
            return {**data, "dsn": Path(data["dsn_file"]).read_text().strip()}
        except OSError as problem:
            message = f"the file that dsn_file names cannot be read ({problem.strerror})"
            raise ValueError(message) from None


class PostgresSettings(_DsnFromFile):
    """LESKO_POSTGRES__*: the database, as a DSN or as a file that holds it."""

    dsn: Annotated[SecretStr, AfterValidator(_dsn)]


class PostgresChoice(_DsnFromFile):
    """The same where it may be left out: not every process has a database."""

    dsn: Annotated[SecretStr | None, AfterValidator(_dsn)] = None


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        message = "is no time zone; write it like Asia/Jayapura"
        raise ValueError(message) from None
    return name


ZoneName = Annotated[str, AfterValidator(_zone)]
"""The name of a time zone that this machine knows."""
