"""Set aside a command that cannot be processed, so that its partition goes on where it may."""

from collections.abc import Awaitable, Callable, Sequence

from libs.bus.port import Outgoing, Record
from services.card_ledger.handlers.records import CommandBroken

Poison = Callable[[Record, str], Awaitable[Sequence[Outgoing]]]


class SetAside:
    """Poison of the commands topic: a stored refusal, or a dead letter for what is no command."""

    def __init__(self, refuse: Poison, dead_letters: Poison) -> None:
        self._refuse = refuse
        self._dead_letters = dead_letters

    async def __call__(self, record: Record, fault: str) -> Sequence[Outgoing]:
        """Return what to publish; ``fault`` is the class name of what went wrong.

        Raises ReversalStuck for a reversal that can be read: somebody waits for the money.
        """
        try:
            return await self._refuse(record, fault)
        except CommandBroken:
            return await self._dead_letters(record, fault)
