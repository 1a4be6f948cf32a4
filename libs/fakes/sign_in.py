"""Passwords and factors that tests can read: quick, and wrong in the same ways as the real ones."""

from libs.clock import Clock
from services.admin.domain.factor import Factor

STEP_MS = 30_000


class PlainPasswords:
    """A hash is the password with a mark before it; what was asked is counted."""

    def __init__(self) -> None:
        self.hashed: list[str] = []
        self.checked: list[tuple[str, str]] = []

    async def hash(self, password: str) -> str:
        """Return what is kept of a password."""
        self.hashed.append(password)
        return f"plain:{password}"

    async def is_right(self, hashed: str, password: str) -> bool:
        """Whether a hash is of this password; an empty one is of none."""
        self.checked.append((hashed, password))
        return hashed == f"plain:{password}"


class StepFactors:
    """A code is the step in six digits; one step around now is right, as with real ones."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._made = 0

    @property
    def code(self) -> str:
        """The code of now."""
        return code_of(self._clock.now_ms() // STEP_MS)

    def make(self, login: str) -> Factor:
        """Make a new one for a login."""
        self._made += 1
        sealed = f"{login}/{self._made}"
        return Factor(f"SECRET{self._made}", f"otpauth://totp/{sealed}", sealed.encode())

    def step_of(self, sealed: bytes, login: str, code: str) -> int | None:
        """Return the step of a code; sealed bytes are of their login alone."""
        assert sealed.startswith(f"{login}/".encode())
        now = self._clock.now_ms() // STEP_MS
        return next((step for step in (now - 1, now, now + 1) if code_of(step) == code), None)


def code_of(step: int) -> str:
    """Return the code of a step."""
    return f"{step % 1_000_000:06}"
