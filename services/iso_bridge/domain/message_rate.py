"""How many messages one terminal may send: a rate with a burst, kept as one number a terminal."""

from typing import Final

_US: Final = 1_000_000
_US_IN_MS: Final = 1_000
_SAID_EVERY_MS: Final = 60_000


class MessageRate:
    """The generic cell rate algorithm: what a leaky bucket does, without a timer.

    A flood of new business never stands in the way of the same terminal's reversals: each of the
    two has the whole rate. Holds one entry for each name that it was asked for.
    """

    __slots__ = ("_burst_us", "_interval_us", "_said_ms", "_until_us")

    def __init__(self, *, per_second: int, burst: int) -> None:
        self._interval_us = _US // per_second
        self._burst_us = burst * self._interval_us
        self._until_us: dict[tuple[str, bool], int] = {}
        self._said_ms: dict[str, int] = {}

    def admits(self, terminal: str, *, is_reversal: bool, now_ms: int) -> bool:
        """Count one message, unless it is one too many (Clock.monotonic_ms)."""
        now_us = now_ms * _US_IN_MS
        place = terminal, is_reversal
        until_us = max(self._until_us.get(place, 0), now_us) + self._interval_us
        if until_us > now_us + self._burst_us:
            return False
        self._until_us[place] = until_us
        return True

    def is_news(self, terminal: str, *, now_ms: int) -> bool:
        """Tell once a minute that a terminal is over its rate; somebody should look at it."""
        said_ms = self._said_ms.get(terminal)
        if said_ms is not None and now_ms - said_ms < _SAID_EVERY_MS:
            return False
        self._said_ms[terminal] = now_ms
        return True
