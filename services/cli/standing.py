"""The note that a standing ``lesko run`` leaves for other commands: what it stands on."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr

FILE = "run.json"


class Standing(NamedTuple):
    """A ``lesko run`` that is up."""

    pid: int
    dsn: SecretStr
    edc_port: int
    bootstrap: str | None  # Where its Kafka is; None: it is on the memory bus.


@contextmanager
def leave_standing(
    home: Path, dsn: SecretStr, edc_port: int, bootstrap: str | None = None
) -> Iterator[None]:
    """Keep the note, for the owner's eyes only, as long as the block lasts."""
    path = home / FILE
    path.unlink(missing_ok=True)  # A killed run left it; its mode may be anything.
    note = {
        "pid": os.getpid(),
        "dsn": dsn.get_secret_value(),
        "edc_port": edc_port,
        "bootstrap": bootstrap,
    }
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(note, file)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def read_standing(home: Path) -> Standing | None:
    """Return the note of a run that is still alive; None when there is none."""
    try:
        note = json.loads((home / FILE).read_text())
        standing = Standing(
            int(note["pid"]), SecretStr(note["dsn"]), int(note["edc_port"]), note.get("bootstrap")
        )
        os.kill(standing.pid, 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return standing
