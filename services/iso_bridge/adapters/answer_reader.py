"""Read our own answer partition and hand each batch on at once."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

from libs.bus import Record
from libs.outcome import Fault

Context = TypeVar("Context")

_WAIT_MS: Final = 1_000
_RETRY_S: Final = 0.5


class Takes(Protocol[Context]):
    """An inbox, as far as reading goes."""

    async def take(self, *, wait_ms: int) -> list[tuple[Context, Record]]:
        """Return answers that came in time."""


async def read_answers(
    inbox: Takes[Context],
    answer: Callable[[Sequence[tuple[Context, Record]]], None],
    report: Callable[[str | None], None],
) -> None:
    """Read until cancelled; a fault that will not pass ends it, since silence would be for ever."""
    report(None)
    while True:
        try:
            batch = await inbox.take(wait_ms=_WAIT_MS)
        except Fault as fault:
            report(f"answers cannot be read: {fault}")
            if not fault.retriable:
                raise
            await asyncio.sleep(_RETRY_S)
            continue
        report(None)
        if batch:
            answer(batch)
