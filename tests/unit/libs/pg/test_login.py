"""The login inside a DSN: replaced, read, and nothing else of it touched."""

import pytest
from asyncpg import connect_utils
from pydantic import SecretStr

from libs.pg import database_of, password_of, user_of, with_login
from libs.settings.dsn import is_dsn

PASSWORD = "p@ss/w:rd?#%25 x"
DSNS = [
    "postgresql://owner:secret@db.example:6432/lesko?sslmode=disable",
    "postgresql://owner@db.example/lesko",
    "postgresql://a.example:5432,b.example:5433/lesko?target_session_attrs=read-write",
    "postgresql://[::1]:5432/lesko?user=owner&password=secret",
    "postgresql:///lesko?host=%2Frun%2Fpostgresql&user=owner",
]


@pytest.mark.parametrize("text", DSNS)
def test_is_another_one_in_the_same_place(text: str) -> None:
    """The driver reads the new user and password, and the old place and options."""
    dsn = SecretStr(text)
    found = with_login(dsn, "lesko_admin", SecretStr(PASSWORD))

    assert is_dsn(found)
    assert "secret" not in found.get_secret_value()
    assert ("lesko_admin", PASSWORD) == (user_of(found), _word(found))
    before, after = read_by_driver(dsn), read_by_driver(found)
    assert ("lesko_admin", PASSWORD) == after[1:3]
    assert (before[0], before[3]) == (after[0], after[3])


@pytest.mark.parametrize(
    ("text", "user", "password", "database"),
    [
        ("postgresql://a%40b:c%3Ad@h/x%20y", "a@b", "c:d", "x y"),
        ("postgresql://a@h", "a", None, "a"),
        ("postgresql://h/x?user=a&password=b", "a", "b", "x"),
        ("postgresql://", None, None, ""),
    ],
)
def test_is_read(text: str, user: str | None, password: str | None, database: str) -> None:
    """Wherever it stands, decoded."""
    dsn = SecretStr(text)

    assert (user, password, database) == (user_of(dsn), _word(dsn), database_of(dsn))


def _word(dsn: SecretStr) -> str | None:
    found = password_of(dsn)
    return None if found is None else found.get_secret_value()


def read_by_driver(dsn: SecretStr) -> tuple[object, str, str, str]:
    """Return addresses, user, password and database as asyncpg understands them."""
    given = dict.fromkeys(
        (
            *("host", "port", "user", "password", "passfile", "database", "ssl", "service"),
            *("servicefile", "direct_tls", "server_settings", "target_session_attrs"),
            *("krbsrvname", "gsslib"),
        )
    )
    parse = vars(connect_utils)["_parse_connect_dsn_and_args"]  # What connect does with it.
    addresses, parameters, *_ = parse(dsn=dsn.get_secret_value(), **given)
    return addresses, parameters.user, parameters.password, parameters.database
