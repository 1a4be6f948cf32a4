"""Passwords of roles in files: one line each, for the owner alone, never overwritten by chance."""

import os
import secrets
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from libs.outcome import Fault

__all__ = ["PasswordFault", "keep_password", "new_password", "read_password"]

_OTHERS: Final = 0o077
_BYTES: Final = 24


class PasswordFault(Fault):
    """A password's file cannot be used; the sentence names the file and what to do."""


def read_password(path: Path) -> SecretStr | None:
    """Return the password in a file, None where there is none; raises PasswordFault.

    A file that others can read is refused, and so is what PostgreSQL could take for another text.
    """
    try:
        others = path.stat().st_mode & _OTHERS
        text = path.read_text().strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no text"
        raise PasswordFault(f"{path} cannot be read: {said}.") from None
    if others:
        raise PasswordFault(f"{path} is open to other users: run chmod 600 {path}.")
    if not text or not text.isascii() or not text.isprintable():
        raise PasswordFault(f"{path} must hold one line of ASCII characters, the password.")
    return SecretStr(text)


def new_password() -> SecretStr:
    """Return a random password that needs no escaping anywhere."""
    return SecretStr(secrets.token_urlsafe(_BYTES))


def keep_password(path: Path, password: SecretStr, *, replace: bool = False) -> bool:
    """Write a password for the owner alone, whole or not at all, on the disk when this returns.

    False, with nothing changed, where a file is there and ``replace`` is not asked for. Raises
    PasswordFault.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(f"{password.get_secret_value()}\n")
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(path)
            return True
        os.link(draft, path)  # Unlike a rename it never replaces what another process just made.
    except FileExistsError:
        return False
    except OSError as error:
        raise PasswordFault(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        draft.unlink(missing_ok=True)
    return True
