"""Card numbers at rest: AES-256-GCM under a key that may rotate; the token binds them to a row."""

from collections.abc import Mapping
from os import urandom
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from libs.iso8583 import Pan
from libs.outcome import Fault

KEY_BYTES: Final = 32
KEY_ID_MAX: Final = 255
_NONCE_BYTES = 12
_TAG_BYTES = 16
_SEALED_BYTES_MIN = 1 + _NONCE_BYTES + _TAG_BYTES
_TEXT: Final = b"text/"  # So that nothing opens as what it is not.


class SealBroken(Fault):
    """Sealed bytes do not open: another key, another row, or changed bytes."""


class Vault:
    """Seals under the newest key (the highest id) and opens under every key it was given."""

    __slots__ = ("_ciphers", "_newest")

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        """Take 32-byte keys by id 1..255; at least one."""
        self._ciphers = {number: AESGCM(key) for number, key in keys.items()}
        self._newest = max(self._ciphers)

    def seal(self, pan: Pan, *, token: bytes) -> bytes:
        """Return key id, random nonce and ciphertext; opens only together with this token."""
        return self._encrypt(pan.in_clear().encode(), token)

    def open_(self, sealed: bytes, *, token: bytes) -> Pan:
        """Return the card number; raises SealBroken, which names the key id and nothing else."""
        return Pan(self._decrypt(sealed, token, what="card number").decode())

    def seal_text(self, text: str, *, owner: bytes) -> bytes:
        """Return another secret sealed as card numbers are; opens only together with its owner."""
        return self._encrypt(text.encode(), _TEXT + owner)

    def open_text(self, sealed: bytes, *, owner: bytes) -> str:
        """Return what ``seal_text`` sealed for this owner; raises SealBroken."""
        return self._decrypt(sealed, _TEXT + owner, what="text").decode()

    def _encrypt(self, clear: bytes, bound_to: bytes) -> bytes:
        nonce = urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._newest].encrypt(nonce, clear, bound_to)
        return bytes((self._newest,)) + nonce + sealed

    def _decrypt(self, sealed: bytes, bound_to: bytes, *, what: str) -> bytes:
        if len(sealed) < _SEALED_BYTES_MIN:
            raise SealBroken(f"sealed {what} is too short to be one")
        cipher = self._ciphers.get(sealed[0])
        if cipher is None:
            raise SealBroken(f"{what} is sealed under key {sealed[0]}, which is not here")
        try:
            nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
            return cipher.decrypt(nonce, rest, bound_to)
        except InvalidTag:
            raise SealBroken(f"sealed {what} does not open under key {sealed[0]}") from None

    def __repr__(self) -> str:
        return f"Vault(keys {', '.join(map(str, sorted(self._ciphers)))}: ***)"

    def __reduce__(self) -> str:
        raise TypeError("keys are not pickled")
