"""Call PostgreSQL's own programs for copies of a server; no password where others see it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import SecretStr

from libs.pg.binaries import Binaries, find_binaries
from libs.pg.faults import ServerFault
from libs.pg.place import ENVIRONMENT

__all__ = ["find_program", "open_environment", "place_of"]

_ESCAPED: Final = str.maketrans({"\\": "\\\\", ":": "\\:"})


def place_of(dsn: SecretStr) -> str:
    """Return where a DSN leads, as PostgreSQL's programs take it, without its password."""
    parts = urlsplit(dsn.get_secret_value())
    user, _, address = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{name}@{address}" if name else address))


@contextmanager
def open_environment(dsn: SecretStr) -> Iterator[dict[str, str]]:
    """Give the environment of a program that logs in there; its password is in a file of ours."""
    password = unquote(urlsplit(dsn.get_secret_value()).password or "")
    handle, name = tempfile.mkstemp(prefix="lesko-pgpass-")  # Mode 0600.
    try:
        with os.fdopen(handle, "w") as file:
            file.write(f"*:*:*:*:{password.translate(_ESCAPED)}\n")
        yield {**ENVIRONMENT, "PGPASSFILE": name}
    finally:
        Path(name).unlink(missing_ok=True)


def find_program(name: str, binaries: Path | None, *, major: int | None = None) -> Path:
    """Return one of PostgreSQL's programs, beside those of the server; raises ServerFault."""
    found: Binaries = find_binaries(binaries, major=major)
    program = found.directory / name
    if not program.is_file():
        raise ServerFault(
            f"{found.directory} has no {name}: install PostgreSQL's client programs (on Debian: "
            "apt install postgresql-client), or let LESKO_POSTGRES__BINARIES name a directory that "
            "has it."
        )
    return program
