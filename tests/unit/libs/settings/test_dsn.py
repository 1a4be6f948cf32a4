"""A DSN that cannot be read is refused without a part of it; people see where, never a password."""

import pytest
from pydantic import SecretStr, ValidationError

from libs.settings import LeskoSettings, PostgresChoice, PostgresSettings, address_of
from libs.settings.dsn import is_dsn

PASSWORD = "hun/ter2"
GOOD = [
    ("postgresql://lesko:hunter2@127.0.0.1/lesko", "127.0.0.1:5432/lesko"),
    ("postgres://u:hun%2Fter2@db.example:6432/lesko", "db.example:6432/lesko"),
    ("postgresql://u:hunter2@one:1,two/lesko?sslmode=require", "one:1,two:5432/lesko"),
    ("postgresql://u:hunter2@[::1]:6432/lesko", "[::1]:6432/lesko"),
    ("postgresql://u:hunter2@%2Frun%2Fpg/lesko", "%2Frun%2Fpg:5432/lesko"),
    ("postgresql:///lesko?host=/run&password=hunter2", "lesko"),
    ("postgresql://u:hunter2@/lesko?host=/run", "lesko"),
    ("postgresql://x", "x:5432"),
    ("postgresql://", "as the DSN says"),
]
BAD = [
    f"postgresql://u:{PASSWORD}@h/db",  # "hun" would be a port.
    "postgresql://u:12/hunter2@h/db",  # A port it is, and the name "hunter2@h/db".
    "postgresql://u:hunter2/12@h",
    "postgresql://u:hun@ter2@h/db",
    "postgresql://u:hun#ter2@h/db",
    "postgresql://u:12#hunter2@h/db",
    "postgresql://u:12?hunter2@h/db",
    "postgresql://u:12?hunter2=x@h/db",
    "postgresql://u:hun[ter2@h/db",
    "postgresql://u:hun ter2@h/db",
    "postgresql://u:hun\nter2@h/db",
    "postgresql://u:hunter2@h:port/db",
    "postgresql://u:hunter2@h:65536/db",
    "postgresql://u:hunter2@h:\u0663/db",
    "postgresql://u:hunter2@one,,two/db",
    "postgresql://u:hunter2@[::1]x/db",
    "mysql://u:hunter2@h/db",
    "hunter2",
    "host=h user=u password=hunter2 dbname=db",
    "password=hunter2",
]


class Settings(LeskoSettings):
    postgres: PostgresSettings


@pytest.mark.parametrize(("dsn", "address"), GOOD)
def test_shows_where_the_database_is(dsn: str, address: str) -> None:
    """Hosts, ports and name, with the port that counts where none is given."""
    found = PostgresSettings(dsn=SecretStr(dsn)).dsn

    assert (dsn, address) == (found.get_secret_value(), address_of(found))


@pytest.mark.parametrize("dsn", BAD)
def test_refuses_what_the_driver_would_misread(dsn: str) -> None:
    """The sentence shows the form and nothing of the value, however it is told."""
    with pytest.raises(ValidationError, match="percent-encoded") as caught:
        Settings.model_validate({"postgres": {"dsn": dsn}})

    told = f"{caught.value} {caught.value.errors(include_input=False, include_context=False)}"
    assert not [part for part in ("hun", "ter2", "12@") if part in told]


@pytest.mark.parametrize("dsn", BAD)
def test_shows_nothing_of_one_that_it_cannot_read(dsn: str) -> None:
    """An address for people is asked of whatever there is, also of what nobody checked."""
    assert not is_dsn(SecretStr(dsn))
    assert "as the DSN says" == address_of(SecretStr(dsn))


def test_takes_an_empty_one_for_none() -> None:
    """A variable that is set to nothing says nothing; it does not mean the driver's defaults."""
    assert None is PostgresChoice.model_validate({"dsn": ""}).dsn
    with pytest.raises(ValidationError, match="Field required"):
        PostgresSettings.model_validate({"dsn": ""})
