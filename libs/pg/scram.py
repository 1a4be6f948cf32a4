"""What PostgreSQL stores of a password (RFC 5803), so that the password itself stays with us."""

import base64
import hashlib
import hmac
import secrets
from typing import Final

from pydantic import SecretStr

__all__ = ["scram_verifier"]

_ITERATIONS: Final = 4096  # PostgreSQL's own; our passwords are random, so more adds nothing.
_SALT_BYTES: Final = 16


def scram_verifier(password: SecretStr) -> str:
    """Return SCRAM-SHA-256 verifier text for ``CREATE ROLE ... PASSWORD``.

    The server stores it as it is, and neither its log nor pg_stat_activity ever sees the password.
    ``password`` is ASCII, for which SASLprep changes nothing.
    """
    salt = secrets.token_bytes(_SALT_BYTES)
    text = password.get_secret_value().encode("ascii")
    salted = hashlib.pbkdf2_hmac("sha256", text, salt, _ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    return f"SCRAM-SHA-256${_ITERATIONS}:{_b64(salt)}${_b64(stored_key)}:{_b64(server_key)}"


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()
