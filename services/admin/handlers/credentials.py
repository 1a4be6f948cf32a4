"""What signing in and enrolling need from the world: two ports that nothing else has use for."""

from typing import Protocol

from services.admin.domain.factor import Factor


class Passwords(Protocol):
    """Makes and checks hashes of passwords, slowly and on purpose; never on the event loop.

    Both take about the same time. Both raise TooManySignIns when too many wait.
    """

    async def hash(self, password: str) -> str:
        """Return what is kept of a password."""

    async def is_right(self, hashed: str, password: str) -> bool:
        """Whether a hash is of this password; an empty hash takes as long, and is of none."""


class Factors(Protocol):
    """Time-based one-time codes."""

    def make(self, login: str) -> Factor:
        """Make a new random one for a login."""

    def step_of(self, sealed: bytes, login: str, code: str) -> int | None:
        """Return the step whose code this is, now or one step around now; None: of none.

        Raises SealBroken where the vault's key does not open it.
        """
