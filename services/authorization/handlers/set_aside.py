"""Set aside a request that cannot be handled; a reversal is never given up by itself."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from libs.bus import Outgoing, PartitionStopped, Record
from libs.contracts.envelope import read_envelope
from libs.contracts.lesko.v1.authorization_pb2 import OPERATION_REVERSAL
from services.authorization.domain.card_command import CardAnswer, CardResult
from services.authorization.handlers.card_records import (
    answer_record,
    is_card_command,
    write_card_answer,
)
from services.authorization.handlers.records import RequestBroken, read_request

_FAILED: Final = CardAnswer(CardResult.FAILED)


class SetAside:
    """Poison of the requests topic: a dead letter for operators, and silence for a terminal.

    Who asked by a command hears that it failed: it would be sent again for ever.
    """

    def __init__(
        self, dead_letters: Callable[[Record, str], Awaitable[Sequence[Outgoing]]]
    ) -> None:
        self._dead_letters = dead_letters

    async def __call__(self, record: Record, fault: str) -> Sequence[Outgoing]:
        """Return the dead letter; ``fault`` is the class name of what went wrong.

        Raises PartitionStopped for a reversal that can be read: somebody waits for the money.
        """
        if is_card_command(record):
            command = read_envelope(record.envelope).correlation_id
            failed = answer_record(record, write_card_answer(command, _FAILED))
            return [*await self._dead_letters(record, fault), *failed]
        try:
            request = read_request(record.value)
        except RequestBroken:
            return await self._dead_letters(record, fault)
        if request.operation == OPERATION_REVERSAL:
            raise PartitionStopped(
                f"a reversal at {record.topic}/{record.partition}@{record.offset} cannot be handed"
                f" on ({fault}); its partition stands still until it can"
            )
        return await self._dead_letters(record, fault)
