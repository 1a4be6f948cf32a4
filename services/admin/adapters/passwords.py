"""argon2id: hashes of passwords, a few at once, in threads beside the event loop."""

import asyncio
from collections.abc import Callable
from typing import ClassVar, Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from libs.outcome import Fault
from services.admin.domain.password import prepared

MEMORY_KIB: Final = 65_536
PASSES: Final = 3
AT_ONCE_MAX: Final = 2
WAITING_MAX: Final = 20
_Result = TypeVar("_Result")


class TooManySignIns(Fault):
    """More people sign in than can be checked now; it is worth trying again."""

    retriable: ClassVar[bool] = True


class Argon2Passwords:
    """Hashes that are slow on purpose; each takes ``memory_kib`` of memory while it is made.

    One lane for each: what runs beside us on the machine keeps its processors.
    """

    def __init__(
        self,
        *,
        memory_kib: int = MEMORY_KIB,
        passes: int = PASSES,
        at_once_max: int = AT_ONCE_MAX,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._turns = asyncio.Semaphore(at_once_max)
        self._waiting = 0
        self._waiting_max = waiting_max

    async def hash(self, password: str) -> str:
        """Return what is kept of a password. Raises TooManySignIns."""
        return await self._in_turn(lambda: self._hasher.hash(prepared(password)))

    async def is_right(self, hashed: str, password: str) -> bool:
        """Whether a hash is of this password. Raises TooManySignIns.

        An empty hash takes as long and is of none: the time does not tell whether there is one.
        """
        return await self._in_turn(lambda: self._is_right(hashed, prepared(password)))

    def _is_right(self, hashed: str, password: str) -> bool:
        if not hashed:
            self._hasher.hash(password)
            return False
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_turn(self, work: Callable[[], _Result]) -> _Result:
        if self._waiting >= self._waiting_max:
            raise TooManySignIns("too many sign-ins at once; try again in a few seconds")
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1
