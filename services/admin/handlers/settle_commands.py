"""Read what others answer to admin: to whoever waits in this process, else it closes a command."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from google.protobuf.message import DecodeError

from libs.bus.port import Bus, Reader, Record
from libs.contracts.envelope import read_envelope
from libs.contracts.topics import (
    ADMIN_ANSWERS,
    CARD_ANSWER,
    CARD_COMMAND,
    LEDGER_ANSWER,
    LEDGER_COMMAND,
)
from libs.outcome import Fault
from services.admin.handlers.await_answers import AwaitAnswers
from services.admin.ports import Answered, CommandRows

ANSWERED_BY: Final[Mapping[str, str]] = MappingProxyType(
    {CARD_ANSWER: CARD_COMMAND, LEDGER_ANSWER: LEDGER_COMMAND}
)
"""Which command an answer of a schema may close."""
_PAUSE_S: Final = 0.5
_WAIT_MS: Final = 1_000
_RECORDS_MAX: Final = 2_000


class SettleCommands:
    """The first answer closes; what comes later, twice or for nobody changes nothing.

    An answer that is lost, or comes while the database is away, comes again: its command is open,
    so it is sent again.
    """

    def __init__(
        self,
        rows: CommandRows,
        awaited: AwaitAnswers,
        settled: Callable[[Sequence[bytes]], None],
    ) -> None:
        """``settled`` hears the ids of commands as they are closed."""
        self._rows = rows
        self._awaited = awaited
        self._settled = settled

    async def run(self, bus: Bus, *, instance: int, report: Callable[[str | None], None]) -> None:
        """Read our own partition from its end until cancelled; after trouble from its end anew."""
        while True:
            try:
                reader = await bus.open_tail_reader(ADMIN_ANSWERS, partition=instance)
                try:
                    await self._read(reader, report)
                finally:
                    await reader.close()
            except Fault as fault:
                report(f"answers cannot be read: {fault}")
                await asyncio.sleep(_PAUSE_S)

    async def _read(self, reader: Reader, report: Callable[[str | None], None]) -> None:
        report(None)
        while True:
            taken = await reader.take(wait_ms=_WAIT_MS, records_max=_RECORDS_MAX)
            for records in taken.values():
                await self(records)
            reader.acknowledge({number: some[-1].offset for number, some in taken.items()})

    async def __call__(self, records: Iterable[Record]) -> int:
        """Take answers; return how many commands they closed. Raises the store's faults."""
        answers = []
        for record in records:
            try:
                envelope = read_envelope(record.envelope)
            except DecodeError:
                continue  # None of ours; nobody hears it.
            found = envelope.correlation_id
            if self._awaited.deliver(found, envelope.schema, record.value):
                continue
            if (schema := ANSWERED_BY.get(envelope.schema)) is not None:
                answers.append(Answered(found, schema, record.value))
        if not answers:
            return 0
        closed = await self._rows.close(answers)
        if closed:
            self._settled(closed)
        return len(closed)
