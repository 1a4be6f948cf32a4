"""What everybody may know of time."""

from typing import Protocol


class Clock(Protocol):
    """Two clocks: the wall's, which may jump, and one that only goes forward."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""

    def monotonic_ms(self) -> int:
        """Milliseconds since some fixed moment; never goes back."""
