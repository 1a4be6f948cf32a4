"""Whether this process can do its work, as a set of named checks."""

import asyncio
from collections.abc import Callable
from typing import Final

from libs.clock import Clock

_NOT_REPORTED: Final = "not reported yet"


class Health:
    """Checks that were announced and what was last said about each.

    Ready means: every check that is expected or was ever reported has no problem.
    """

    def __init__(self) -> None:
        self._checks: dict[str, str | None] = {}

    def expect(self, check: str) -> None:
        """Announce a check: not ready until it is reported; keeps a report that came before."""
        self._checks.setdefault(check, _NOT_REPORTED)

    def report(self, check: str, problem: str | None) -> None:
        """Say how a check stands; a problem is a sentence for an operator, None is good."""
        self._checks[check] = problem

    def problems(self) -> dict[str, str]:
        """Return the checks that are not good, with the reason, by name."""
        found = ((check, problem) for check, problem in self._checks.items() if problem is not None)
        return dict(sorted(found))

    def failing(self) -> dict[str, bool]:
        """Return every check by name, and whether it has a problem."""
        return {check: problem is not None for check, problem in sorted(self._checks.items())}

    @property
    def is_ready(self) -> bool:
        """Say whether new work is welcome."""
        return all(problem is None for problem in self._checks.values())


class LoopWatch:
    """Measures how late the event loop is and reports the check ``event_loop``."""

    CHECK: Final = "event_loop"

    def __init__(
        self,
        health: Health,
        clock: Clock,
        *,
        note: Callable[[float], None],
        lag_ms_max: int = 2_000,
        interval_ms: int = 500,
    ) -> None:
        self._health = health
        self._clock = clock
        self._note = note
        self._lag_ms_max = lag_ms_max
        self._interval_ms = interval_ms

    async def run(self) -> None:
        """Measure until cancelled; ``note`` hears each lag in seconds."""
        while True:
            due_ms = self._clock.monotonic_ms() + self._interval_ms
            await asyncio.sleep(self._interval_ms / 1000)
            self.judge(max(0, self._clock.monotonic_ms() - due_ms))

    def judge(self, lag_ms: int) -> None:
        """Report one measured lag."""
        self._note(lag_ms / 1000)
        late = f"the event loop was {lag_ms} ms late" if lag_ms > self._lag_ms_max else None
        self._health.report(self.CHECK, late)
