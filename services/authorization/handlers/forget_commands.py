"""Let go of commands about cards that were carried out long ago; nobody sends them again."""

from typing import Final, Protocol

from libs.clock import Clock

KEPT_MS: Final = 90 * 86_400_000
_ROWS_AT_ONCE: Final = 1_000


class Forgets(Protocol):
    """Where carried out commands are kept."""

    async def forget_commands(self, *, before_ms: int, rows_max: int) -> int:
        """Delete the oldest ones of before a moment; return how many. Raises StoreUnavailable."""


async def forget_commands(store: Forgets, clock: Clock) -> int:
    """Delete what is older than 90 days, in small steps; return how many. Idempotent."""
    before_ms, forgotten = clock.now_ms() - KEPT_MS, 0
    while some := await store.forget_commands(before_ms=before_ms, rows_max=_ROWS_AT_ONCE):
        forgotten += some
    return forgotten
