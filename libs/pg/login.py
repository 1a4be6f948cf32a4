"""The login inside a DSN: who enters, by which password, which database; nothing connects here."""

from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from pydantic import SecretStr

__all__ = ["database_of", "password_of", "user_of", "with_login", "without_password"]

_LOGIN_OPTIONS = {"user", "password", "passfile"}


def with_login(dsn: SecretStr, user: str, password: SecretStr) -> SecretStr:
    """Return the same place, entered by this login; the one that was there is gone.

    ``dsn`` is a URI that ``libs.settings`` has found to be one.
    """
    return _entered_by(
        dsn, f"{quote(user, safe='')}:{quote(password.get_secret_value(), safe='')}@"
    )


def without_password(dsn: SecretStr) -> SecretStr:
    """Return the same place and user, and no password nor the name of a file that holds one."""
    user = user_of(dsn)
    return _entered_by(dsn, f"{quote(user, safe='')}@" if user else "")


def _entered_by(dsn: SecretStr, login: str) -> SecretStr:
    parts = urlsplit(dsn.get_secret_value())
    place = parts.netloc.rpartition("@")[2]
    options = [pair for pair in parse_qsl(parts.query) if pair[0] not in _LOGIN_OPTIONS]
    return SecretStr(
        urlunsplit(
            parts._replace(netloc=f"{login}{place}", query=urlencode(options, quote_via=quote))
        )
    )


def user_of(dsn: SecretStr) -> str | None:
    """Return the user that a DSN names."""
    user, _, _ = _login(dsn)
    return unquote(user) or _option(dsn, "user")


def password_of(dsn: SecretStr) -> SecretStr | None:
    """Return the password that a DSN holds."""
    _, _, password = _login(dsn)
    found = unquote(password) or _option(dsn, "password")
    return SecretStr(found) if found else None


def database_of(dsn: SecretStr) -> str:
    """Return the database's name; without one PostgreSQL takes the user's."""
    return unquote(urlsplit(dsn.get_secret_value()).path.lstrip("/")) or user_of(dsn) or ""


def _login(dsn: SecretStr) -> tuple[str, str, str]:
    return urlsplit(dsn.get_secret_value()).netloc.rpartition("@")[0].partition(":")


def _option(dsn: SecretStr, name: str) -> str | None:
    return dict(parse_qsl(urlsplit(dsn.get_secret_value()).query)).get(name)
