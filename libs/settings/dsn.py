"""The form of a database's address, and what people may see of it; nothing connects here."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult, parse_qs, urlsplit

from pydantic import SecretStr

_SCHEMES: Final = ("postgresql", "postgres")
_PORT: Final = 5432
_PORT_MAX: Final = 65_535
_UNREADABLE: Final = "as the DSN says"


def is_dsn(dsn: SecretStr) -> bool:
    """Tell whether this is a URI that the driver and libpq read in the same way.

    libpq's other form, ``host=... password=...``, is none: the driver does not know it. Refused is
    also what a password with bare special characters turns a URI into, where parts of it would be
    taken for a host, a port, a name or an option.
    """
    parts = _split(dsn)
    return parts is not None and parts.scheme in _SCHEMES and all(_checks(parts))


def address_of(dsn: SecretStr) -> str:
    """Return hosts, ports and database of a DSN for people; never a part of its password."""
    if not is_dsn(dsn) or (parts := _split(dsn)) is None:
        return _UNREADABLE
    hosts = ",".join(
        f"{host}:{port or _PORT}" for host, port in map(_host_port, _hosts(parts)) if host
    )
    return f"{hosts}{parts.path}" if hosts else parts.path.lstrip("/") or _UNREADABLE


def _split(dsn: SecretStr) -> SplitResult | None:
    text = dsn.get_secret_value()
    if any(each <= " " for each in text):  # Some of them would be dropped silently.
        return None
    try:
        return urlsplit(text)
    except ValueError:
        return None


def _checks(parts: SplitResult) -> Iterator[bool]:
    yield parts.netloc.count("@") <= 1
    yield not parts.fragment
    yield "@" not in parts.path
    yield parts.path.count("/") <= 1
    yield "@" not in parts.query
    yield _is_query(parts.query)
    hosts = _hosts(parts)
    yield hosts == [""] or all(_is_host(*_host_port(each)) for each in hosts)


def _is_query(query: str) -> bool:
    try:
        return not query or bool(parse_qs(query, strict_parsing=True))
    except ValueError:
        return False


def _hosts(parts: SplitResult) -> list[str]:
    return parts.netloc.rpartition("@")[2].split(",")


def _host_port(text: str) -> tuple[str, str]:
    """Split off the port, also behind the brackets of an IPv6 address; a bare colon keeps it."""
    if text.startswith("["):
        host, closing, rest = text.partition("]")
        if rest and not rest.startswith(":"):
            return "", rest
        return host + closing, rest[1:]
    host, _, port = text.partition(":")
    return host, port


def _is_host(host: str, port: str) -> bool:
    if not port:
        return bool(host)
    is_number = port.isascii() and port.isdigit()
    return bool(host) and is_number and int(port[:6]) <= _PORT_MAX
