"""Call PostgreSQL's own programs for copies of a server; no password where others see it."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from libs.pg.binaries import Binaries, find_binaries
from libs.pg.faults import ServerFault
from libs.pg.login import password_of, without_password
from libs.pg.place import ENVIRONMENT

__all__ = ["find_program", "open_environment", "place_of"]

_PASSWORDS: Final = ".pgpass-"
_ESCAPED: Final = str.maketrans({"\\": "\\\\", ":": "\\:"})


def place_of(dsn: SecretStr) -> str:
    """Return where a DSN leads, as PostgreSQL's programs take it, without its password."""
    return without_password(dsn).get_secret_value()


@contextmanager
def open_environment(dsn: SecretStr, home: Path) -> Iterator[dict[str, str]]:
    """Give the environment of a program that logs in there; its password is in a file of ours.

    It lies in ``home``, and is cleared away at the next start after a process that was killed.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    _clear(home)
    known = password_of(dsn)
    password = known.get_secret_value() if known is not None else ""
    handle, name = tempfile.mkstemp(prefix=_PASSWORDS, dir=home)  # Mode 0600.
    try:
        with os.fdopen(handle, "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # Tells others that it is in use.
            file.write(f"*:*:*:*:{password.translate(_ESCAPED)}\n")
            file.flush()
            yield {**ENVIRONMENT, "PGPASSFILE": name}
    finally:
        Path(name).unlink(missing_ok=True)


def _clear(home: Path) -> None:
    for path in home.glob(f"{_PASSWORDS}*"):
        with suppress(OSError), path.open() as file:  # Whoever uses it holds its lock.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


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
