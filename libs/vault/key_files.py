"""Keys in files: hexadecimal, for the owner alone; one sentence for whatever is wrong with one."""

from os import O_CREAT, O_EXCL, O_WRONLY, fsync, link, urandom
from os import close as close_file
from os import open as open_file
from os import write as write_file
from pathlib import Path
from typing import Final

from libs.outcome import Fault
from libs.vault.sealed_file import BackupKey
from libs.vault.token_key import TokenKey
from libs.vault.vault import KEY_BYTES, KEY_ID_MAX, Vault

TOKEN_KEY_FILE: Final = "token.key"  # noqa: S105 -- a file's name
BACKUP_KEY_FILE: Final = "backup.key"
_VAULT_KEY_FILES = "vault-*.key"
_OTHERS = 0o077


class VaultFault(Fault):
    """A key file cannot be used; the sentence names the file and what to do, never its content."""


def read_token_key(directory: Path) -> TokenKey:
    """Read ``token.key``; raises VaultFault."""
    return TokenKey(_read_key(directory / TOKEN_KEY_FILE))


def read_vault(directory: Path) -> Vault:
    """Read every ``vault-<1..255>.key``; raises VaultFault."""
    keys = {_key_id(path): _read_key(path) for path in sorted(directory.glob(_VAULT_KEY_FILES))}
    if not keys:
        raise VaultFault(
            f"no vault key in {directory}: expected vault-1.key with {2 * KEY_BYTES} hexadecimal"
            " digits"
        )
    return Vault(keys)


def read_backup_key(path: Path) -> BackupKey:
    """Read the key of backups; raises VaultFault."""
    return BackupKey(_read_key(path, "let `lesko backup init-key` make one"))


def make_backup_key(path: Path) -> bool:
    """Write a random key of backups for the owner alone; False when one is there already."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _write_once(path)


def generate_demo_keys(directory: Path) -> tuple[Path, ...]:
    """Write the keys that are missing, random and for the owner alone; return what was written.

    Never overwrites, also when two processes do it at once. For demos and pilots: production
    keys are made and kept by people.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = [directory / TOKEN_KEY_FILE]
    if not any(directory.glob(_VAULT_KEY_FILES)):
        wanted.append(directory / "vault-1.key")
    return tuple(path for path in wanted if _write_once(path))


def _key_id(path: Path) -> int:
    number = path.stem.removeprefix("vault-")
    if not number.isascii() or not number.isdigit() or not 1 <= int(number) <= KEY_ID_MAX:
        raise VaultFault(f"{path}: the name must be vault-N.key with N from 1 to {KEY_ID_MAX}")
    return int(number)


def _read_key(path: Path, way: str = "let `lesko seed` make demo keys") -> bytes:
    try:
        others = path.stat().st_mode & _OTHERS
        text = path.read_bytes().strip()
    except FileNotFoundError:
        raise VaultFault(f"{path} is missing: put the key there, or {way}") from None
    except OSError as error:
        raise VaultFault(f"{path} cannot be read: {error.strerror}") from None
    if others:
        raise VaultFault(f"{path} is open to other users: run `chmod 600 {path}`")
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        raise VaultFault(f"{path} holds something other than hexadecimal digits") from None
    if len(key) != KEY_BYTES:
        size = "short" if len(key) < KEY_BYTES else "long"
        raise VaultFault(
            f"{path} is too {size}: {2 * KEY_BYTES} hexadecimal digits are needed,"
            f" {2 * len(key)} are there"
        )
    return key


def _write_once(path: Path) -> bool:
    """Make the file whole or not at all; False when it is there already."""
    if path.exists():
        return False
    draft = path.with_name(f".{path.name}.{urandom(8).hex()}")
    handle = open_file(draft, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    try:
        write_file(handle, urandom(KEY_BYTES).hex().encode() + b"\n")
        fsync(handle)
        link(draft, path)  # Unlike a rename it never replaces what another process just made.
    except FileExistsError:
        return False
    finally:
        close_file(handle)
        draft.unlink()
    return True
