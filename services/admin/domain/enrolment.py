"""The one-time code with which a person takes over a login: made once, of use once, for a day."""

from dataclasses import replace
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from services.admin.domain.operator import Operator

VALID_MS: Final = 24 * 3_600_000
CODE_BYTES: Final = 10
"""80 random bits: sixteen characters of base 32, which nobody guesses within a day."""


def code_hash(code: str) -> bytes:
    """Return what is kept of a code; dashes, spaces and small letters make no difference."""
    plain = code.replace("-", "").replace(" ", "").upper()
    return sha256(b"enrol/" + plain.encode()).digest()


def shown(code: str) -> str:
    """Return a code in groups of four, as people read it to one another."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def invited(operator: Operator, hashed: bytes, now_ms: int) -> Operator:
    """Return an operator who must enrol with this code: what they had before is of no use now."""
    return replace(
        operator,
        password_hash="",
        enrol_hash=hashed,
        enrol_until_ms=now_ms + VALID_MS,
        factor_sealed=b"",
        factor_offered=b"",
        failed=0,
        locked_until_ms=0,
    )


def may_enrol(operator: Operator | None, code: str, now_ms: int) -> bool:
    """Whether this code opens this login now."""
    given = code_hash(code)
    kept = operator.enrol_hash if operator is not None else b""
    is_right = compare_digest(given, kept or bytes(len(given)))
    return (
        operator is not None
        and is_right
        and not operator.is_disabled
        and now_ms < operator.enrol_until_ms
    )


def enrolled(operator: Operator, *, password_hash: str, factor: bytes, step: int) -> Operator:
    """Return an operator whose code is used up; ``factor`` empty: without one."""
    return replace(
        operator,
        password_hash=password_hash,
        enrol_hash=b"",
        enrol_until_ms=0,
        factor_sealed=factor,
        factor_offered=b"",
        factor_step=step,
        failed=0,
        locked_until_ms=0,
    )
