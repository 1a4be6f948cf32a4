"""Card numbers become tokens or sealed bytes here; keys come from files and never leave."""

from libs.vault.key_files import (
    BACKUP_KEY_FILE,
    VaultFault,
    generate_demo_keys,
    make_backup_key,
    read_backup_key,
    read_token_key,
    read_vault,
)
from libs.vault.sealed_file import BackupKey, Sealed, file_sha256, open_sealed, seal_file
from libs.vault.token_key import TOKEN_BYTES, TokenKey
from libs.vault.vault import SealBroken, Vault

__all__ = [
    "BACKUP_KEY_FILE",
    "TOKEN_BYTES",
    "BackupKey",
    "SealBroken",
    "Sealed",
    "TokenKey",
    "Vault",
    "VaultFault",
    "file_sha256",
    "generate_demo_keys",
    "make_backup_key",
    "open_sealed",
    "read_backup_key",
    "read_token_key",
    "read_vault",
    "seal_file",
]
