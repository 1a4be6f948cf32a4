"""Card numbers at admin's edge: a token and sealed bytes come out, the number stays inside."""

from pathlib import Path

from libs.iso8583 import Pan
from libs.vault import TokenKey, Vault, read_token_key


class CardSealer:
    """The two keys that a card number meets."""

    def __init__(self, tokens: TokenKey, vault: Vault) -> None:
        self._tokens = tokens
        self._vault = vault

    def token(self, pan: Pan) -> bytes:
        """Return its token."""
        return self._tokens.token(pan)

    def seal(self, pan: Pan, *, token: bytes) -> bytes:
        """Return it sealed, bound to its token."""
        return self._vault.seal(pan, token=token)


def read_card_sealer(directory: Path, vault: Vault) -> CardSealer:
    """Read the token key beside the vault's; raises VaultFault."""
    return CardSealer(read_token_key(directory), vault)
