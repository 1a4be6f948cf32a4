"""Card numbers become tokens or sealed bytes here; keys come from files and never leave."""

from libs.vault.key_files import VaultFault, generate_demo_keys, read_token_key, read_vault
from libs.vault.token_key import TOKEN_BYTES, TokenKey
from libs.vault.vault import SealBroken, Vault

__all__ = [
    "TOKEN_BYTES",
    "SealBroken",
    "TokenKey",
    "Vault",
    "VaultFault",
    "generate_demo_keys",
    "read_token_key",
    "read_vault",
]
