"""Serve a batch that holds requests and commands about cards, in the order of each partition."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import groupby

from libs.bus.port import Outgoing, Record
from services.authorization.handlers.card_records import is_card_command


class ServeRequests:
    """Requests go on in bulk; where a command stands between them, those behind it see its work."""

    def __init__(
        self,
        authorize: Callable[[Mapping[int, Sequence[Record]]], Awaitable[list[Outgoing]]],
        command_cards: Callable[[Record], Awaitable[list[Outgoing]]],
    ) -> None:
        self._authorize = authorize
        self._command_cards = command_cards

    async def __call__(self, batch: Mapping[int, Sequence[Record]]) -> list[Outgoing]:
        """Return what goes out, in the order of each partition; raises what the two raise."""
        plain: dict[int, Sequence[Record]] = {}
        mixed: dict[int, Sequence[Record]] = {}
        for partition, records in batch.items():
            has_command = any(map(is_card_command, records))
            (mixed if has_command else plain)[partition] = records
        outgoing = await self._authorize(plain) if plain else []
        for partition, records in mixed.items():
            for is_command, run in groupby(records, is_card_command):
                if not is_command:
                    outgoing += await self._authorize({partition: list(run)})
                    continue
                for record in run:
                    outgoing += await self._command_cards(record)
        return outgoing
