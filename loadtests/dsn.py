"""Changes to a PostgreSQL DSN in the form of a URL, with or without a host in it."""

from urllib.parse import SplitResult, unquote, urlsplit


def with_database(dsn: str, name: str) -> str:
    """Return the DSN of another database on the same server."""
    return _joined(urlsplit(dsn)._replace(path=f"/{name}"))


def without_password(dsn: str) -> tuple[str, str]:
    """Split into what everybody on the machine may see of a command, and the password."""
    parts = urlsplit(dsn)
    user, at, host = parts.netloc.rpartition("@")
    name, _, _ = user.partition(":")
    return _joined(parts._replace(netloc=f"{name}{at}{host}")), unquote(parts.password or "")


def _joined(parts: SplitResult) -> str:
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{parts.path}{query}"
