"""One-time codes as authenticators show them, and their secrets at rest."""

from typing import Final

import pyotp
import pytest

from libs.fakes.clock import FixedClock
from libs.vault import SealBroken, Vault
from services.admin.adapters.factor import STEP_MS, TotpFactors

NOW_MS: Final = 1_795_600_000_000
KEY: Final = bytes(range(32))
RFC_SECRET: Final = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""The ASCII secret 12345678901234567890 of RFC 6238, appendix B."""


def factors(now_ms: int = NOW_MS) -> TotpFactors:
    return TotpFactors(Vault({1: KEY}), FixedClock(now_ms))


class TestStepOf:
    @pytest.mark.parametrize(
        ("seconds", "code"), [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")]
    )
    def test_is_that_of_the_standard(self, seconds: int, code: str) -> None:
        """Published vectors: the last six digits of RFC 6238's eight."""
        sealed = Vault({1: KEY}).seal_text(RFC_SECRET, owner=b"factor/ani")

        assert seconds // 30 == factors(seconds * 1_000).step_of(sealed, "ani", code)

    def test_takes_one_step_around_now(self) -> None:
        """The code before and the one after are right, two away are not."""
        made = factors().make("ani")
        totp, step = pyotp.TOTP(made.secret), NOW_MS // STEP_MS
        found = [
            factors().step_of(made.sealed, "ani", totp.generate_otp(step + away))
            for away in (-2, -1, 0, 1, 2)
        ]

        assert [None, step - 1, step, step + 1, None] == found

    @pytest.mark.parametrize("code", ["", "12345", "abcdef", "٣٤٥٦٧٨"])
    def test_takes_nothing_else(self, code: str) -> None:
        """What is no code is of no step, and is no trouble."""
        assert None is factors().step_of(factors().make("ani").sealed, "ani", code)


class TestSeal:
    def test_shows_no_secret(self) -> None:
        """What rests in the table does not hold it."""
        made = factors().make("ani")

        assert made.secret.encode() not in made.sealed
        assert "secret=" + made.secret in made.uri

    def test_opens_for_its_own_login_and_key_alone(self) -> None:
        """Moved to another row, or under another key, it is broken."""
        made = factors().make("ani")

        with pytest.raises(SealBroken):
            factors().step_of(made.sealed, "budi", "123456")
        with pytest.raises(SealBroken):
            TotpFactors(Vault({1: bytes(32)}), FixedClock(NOW_MS)).step_of(
                made.sealed, "ani", "123456"
            )
