"""A session: who may act with a token and until when. The token itself stands nowhere."""

from hashlib import sha256
from typing import Final, NamedTuple

TOKEN_BYTES: Final = 32


class Session(NamedTuple):
    """What is kept of a sign-in."""

    token_hash: bytes
    operator: int
    issued_ms: int
    expires_ms: int
    has_factor: bool  # A second factor was shown for it.


def token_hash(token: str) -> bytes:
    """Return what a token is found by; it is random, so a plain hash tells nothing of it."""
    return sha256(token.encode()).digest()
