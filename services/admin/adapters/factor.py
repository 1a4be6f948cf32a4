"""Time-based one-time codes (RFC 6238), with secrets that rest under the vault's key."""

from hmac import compare_digest
from typing import Final

import pyotp

from libs.clock import Clock
from libs.vault import Vault
from services.admin.domain.factor import Factor

ISSUER: Final = "Lesko"
STEP_MS: Final = 30_000
AROUND: Final = 1
"""Steps before and after now that are accepted: people type slowly and phones' clocks differ."""


class TotpFactors:
    """Six digits each half minute, as every authenticator shows them."""

    def __init__(self, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock

    def make(self, login: str) -> Factor:
        """Make a new random one for a login."""
        secret = pyotp.random_base32()
        uri = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)
        return Factor(secret, uri, self._vault.seal_text(secret, owner=_owner(login)))

    def step_of(self, sealed: bytes, login: str, code: str) -> int | None:
        """Return the step whose code this is; None: of none. Raises SealBroken."""
        totp = pyotp.TOTP(self._vault.open_text(sealed, owner=_owner(login)))
        now = self._clock.now_ms() // STEP_MS
        found: int | None = None
        for step in range(now - AROUND, now + AROUND + 1):  # All of them, whichever it is.
            if compare_digest(totp.generate_otp(step).encode(), code.encode()):
                found = step
        return found


def _owner(login: str) -> bytes:
    """Return what binds a sealed secret to its row: moved to another one it does not open."""
    return f"factor/{login}".encode()
