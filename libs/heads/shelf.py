"""A directory of JSON files that are written whole, once, and never again."""

import asyncio
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from libs.outcome import Fault

_MODE: Final = 0o640  # No secret, but nobody else's to change.


class ShelfUnusable(Fault):
    """The directory of heads cannot be read or written; the text names it and says why."""

    retriable = True


class NameTaken(Fault):
    """Something of this name was put there before; it stays as it is."""


def daily_name(kind: str, now_ms: int) -> str:
    """Return the name of a day's publication; days are UTC."""
    return f"{kind}-{_utc(now_ms):%Y-%m-%d}"


def moment_name(kind: str, now_ms: int) -> str:
    """Return the name of a publication that was asked for; one a second at most."""
    return f"{kind}-{_utc(now_ms):%Y-%m-%dT%H%M%SZ}"


class Shelf:
    """Heads in a directory, which is made when first needed; None: no directory is given."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    @property
    def is_given(self) -> bool:
        """Whether there is any."""
        return self._directory is not None

    async def has(self, name: str) -> bool:
        """Whether something of this name was put there. Raises ShelfUnusable."""
        try:
            return await asyncio.to_thread(self._path(name).exists)
        except OSError as error:
            raise self._unusable(error) from error

    async def put(self, name: str, content: Mapping[str, object]) -> str:
        """Keep a content under a new name; return where. Raises ShelfUnusable, NameTaken.

        When it returns the file is on the disk, whole, under its name.
        """
        text = json.dumps(content, indent=1) + "\n"
        try:
            await asyncio.to_thread(_write, self._path(name), text)
        except FileExistsError:
            message = f"{self._path(name)} is there already and is not written again"
            raise NameTaken(message) from None
        except OSError as error:
            raise self._unusable(error) from error
        return str(self._path(name))

    def _path(self, name: str) -> Path:
        if self._directory is None:
            message = "nothing says where heads are kept; set LESKO_HEADS__DIRECTORY"
            raise ShelfUnusable(message)
        return self._directory / f"{name}.json"

    def _unusable(self, error: OSError) -> ShelfUnusable:
        return ShelfUnusable(
            f"the heads cannot be kept in {self._directory} ({error.strerror});"
            " make it writable or set LESKO_HEADS__DIRECTORY"
        )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.") as file:
        file.write(text)
        file.flush()
        os.fchmod(file.fileno(), _MODE)
        os.fsync(file.fileno())
        os.link(file.name, path)  # Fails where the name is taken, unlike a rename.
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)  # Without it a power cut may take the name away again.
    finally:
        os.close(directory)


def _utc(now_ms: int) -> datetime:
    return datetime.fromtimestamp(now_ms / 1_000, UTC)
