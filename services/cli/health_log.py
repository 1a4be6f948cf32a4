"""Write down why the process is not ready: one line for each new reason, not one for each try."""

import asyncio
import re
from typing import Final

import structlog

from libs.observe import Health

EVERY_S: Final = 0.25
SILENT: Final = "not reported yet"
"""What is said of a check that nobody has looked at: other checks say why."""

_NUMBERS: Final = re.compile(r"\d+")


class HealthLog:
    """Logs each check that stays bad for a moment, again when it has a reason not heard since.

    Reasons that differ in their numbers alone (tries, offsets) count as the same.
    """

    def __init__(self, health: Health) -> None:
        self._health = health
        self._log = structlog.get_logger("cli")
        self._seen: dict[str, str] = {}
        self._said: dict[str, set[str]] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            self.look()

    def look(self) -> None:
        """Compare with the last look; what was bad then and is so still is worth a line."""
        problems = {c: why for c, why in self._health.problems().items() if why != SILENT}
        for check, problem in problems.items():
            reason = _NUMBERS.sub("", problem)
            if self._seen.get(check) == reason and reason not in self._said.get(check, ()):
                self._log.warning("waiting", check=check, reason=problem)
                self._said.setdefault(check, set()).add(reason)
            self._seen[check] = reason
        for check in self._seen.keys() - problems.keys():
            del self._seen[check]
            if self._said.pop(check, None) is not None:
                self._log.info("waited", check=check)
