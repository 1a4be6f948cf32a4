"""How far our clock is from the brokers': what confirmed sends prove, and no more than that."""

from typing import Final

from libs.clock import Clock

FORGOTTEN_MS: Final = 60_000
"""What was seen longer ago than this says nothing of the clock now."""


class Skew:
    """A broker stamps a record between our sending it and our hearing of it, or a clock is wrong.

    Topics are stamped by brokers (LogAppendTime); where one is not, the stamp is our own and shows
    nothing. How long anything takes on the way does not matter.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ms = 0
        self._seen_ms = -FORGOTTEN_MS

    @property
    def ms(self) -> int:
        """Return by how much our clock is surely ahead, negative: behind; 0: nothing is proven."""
        is_old = self._clock.monotonic_ms() - self._seen_ms >= FORGOTTEN_MS
        return 0 if is_old else self._ms

    def note(self, *, sent_ms: int, appended_ms: int) -> None:
        """Take a record's stamp; sent and heard of now by our clock (Unix ms)."""
        heard_ms = self._clock.now_ms()
        self._seen_ms = self._clock.monotonic_ms()
        if appended_ms < sent_ms:
            self._ms = sent_ms - appended_ms
        elif appended_ms > heard_ms:
            self._ms = heard_ms - appended_ms
        else:
            self._ms = 0
