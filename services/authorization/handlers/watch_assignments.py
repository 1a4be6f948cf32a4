"""Notice that the group deals out request partitions again and again; it changes nothing."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from libs.clock import Clock

_NO_PARTITIONS: Final = "the group gives us no request partition; others have them all"
_WINDOW_MS: Final = 60_000
_ASSIGNMENTS_MAX: Final = 3  # More than that within the window is no start and no restart.
_LOOK_MS: Final = 1_000


class AssignmentWatch:
    """Reports whether we hold partitions and keep them.

    Two processes of one name take them from each other every few seconds, for ever; each works in
    between and would look well.
    """

    def __init__(
        self,
        clock: Clock,
        report: Callable[[str | None], None],
        *,
        slot: int,
        look_ms: int = _LOOK_MS,
    ) -> None:
        self._clock = clock
        self._report = report
        self._look_s = look_ms / 1000
        self._restless = (
            f"the group dealt out request partitions more than {_ASSIGNMENTS_MAX} times within"
            f" {_WINDOW_MS // 1000} s: if another authorization on this host has"
            f" LESKO_AUTHORIZATION__SLOT={slot} too, give each a number of its own"
        )
        self._given_ms: deque[int] = deque(maxlen=_ASSIGNMENTS_MAX + 1)
        self._held: frozenset[int] | None = None

    def note(self, held: frozenset[int]) -> None:
        """Hear what we hold from now on."""
        self._given_ms.append(self._clock.monotonic_ms())
        self._held = held
        self.look()

    def look(self) -> None:
        """Report how it stands now; nothing before the first assignment."""
        if self._held is None:
            return
        since_ms = self._clock.monotonic_ms() - _WINDOW_MS
        is_restless = len(self._given_ms) > _ASSIGNMENTS_MAX and self._given_ms[0] > since_ms
        if is_restless:
            self._report(self._restless)
        else:
            self._report(None if self._held else _NO_PARTITIONS)

    async def run(self) -> None:
        """Look until cancelled: what is over must show without another assignment."""
        while True:
            await asyncio.sleep(self._look_s)
            self.look()
