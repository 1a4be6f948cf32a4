"""A clock that stands still until a test moves it."""


class FixedClock:
    """Both clocks of the port; the wall's may jump, the monotonic one only advances."""

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms
        self._monotonic_ms = 0

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC, as the test says."""
        return self._now_ms

    def monotonic_ms(self) -> int:
        """Milliseconds that the test has let pass."""
        return self._monotonic_ms

    def advance(self, ms: int) -> None:
        """Let time pass on both clocks."""
        assert ms >= 0
        self._now_ms += ms
        self._monotonic_ms += ms

    def jump_to(self, now_ms: int) -> None:
        """Set the wall clock, forward or back, as a bad time server does."""
        self._now_ms = now_ms
