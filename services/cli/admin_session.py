"""The note of who is signed in at which admin: one file for its owner alone, and no password."""

import json
import os
from pathlib import Path
from secrets import token_hex
from typing import Final, NamedTuple

from services.cli.faults import CommandRefused

FILE: Final = "session"
_OTHERS: Final = 0o077


class SignedIn(NamedTuple):
    """A session that an admin gave."""

    url: str  # The token is of use there only, and is sent nowhere else.
    login: str
    token: str

    def __repr__(self) -> str:
        return f"SignedIn({self.login} at {self.url})"


def keep_session(home: Path, session: SignedIn) -> None:
    """Write the note whole, in place of any other."""
    home.mkdir(parents=True, exist_ok=True)
    draft = home / f".{FILE}.{token_hex(8)}"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(session._asdict(), file)
        draft.replace(home / FILE)
    finally:
        draft.unlink(missing_ok=True)


def read_session(home: Path) -> SignedIn | None:
    """Return who is signed in, None: nobody; raises CommandRefused where others could read it."""
    path = home / FILE
    try:
        others = path.stat().st_mode & _OTHERS
        note = json.loads(path.read_text())
        session = SignedIn(str(note["url"]), str(note["login"]), str(note["token"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    if others:
        message = f"{path} is open to other users: remove it and sign in again with lesko sign-in."
        raise CommandRefused(message)
    return session


def forget_session(home: Path) -> None:
    """Remove the note, if there is any."""
    (home / FILE).unlink(missing_ok=True)
