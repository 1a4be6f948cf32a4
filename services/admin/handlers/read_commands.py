"""Tell what became of a command, waiting for its answer where that is wanted."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from libs.clock import Clock
from services.admin.domain.act import Json
from services.admin.domain.command_answer import show_answer
from services.admin.domain.permission import RULES, refuse_role
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Caller
from services.admin.ports import CommandRow, CommandRows

SHOW: Final = "command.show"
WAIT_MS_MAX: Final = 10_000
_LOOK_EVERY_MS: Final = 500
"""Another process may be the one that reads answers."""


class FileProgress(NamedTuple):
    """How far the commands of one file are."""

    commands: int
    closed: int
    created: int
    known: int
    failed: int  # Commands that were not done.


class ReadCommands:
    """A command is shown to whoever made it or may see what it is about."""

    def __init__(self, rows: CommandRows, clock: Clock, nudge: Callable[[], None]) -> None:
        """``nudge`` is called before somebody waits: what was just added is sent at once."""
        self._rows = rows
        self._clock = clock
        self._nudge = nudge
        self._waiting: dict[bytes, set[asyncio.Event]] = {}

    def settled(self, commands: Sequence[bytes]) -> None:
        """Wake whoever waits for these."""
        for command in commands:
            for event in self._waiting.get(command, ()):
                event.set()

    async def __call__(
        self, caller: Caller, command: bytes, *, wait_ms: int = 0
    ) -> Mapping[str, Json] | Refused:
        """Return a command, with its answer once it has come within ``wait_ms``."""
        row = await self._rows.find(command)
        if row is None:
            return Refused(Refusal.UNKNOWN)
        if not _may_see(caller, row):
            return Refused(Refusal.NOT_YOUR_ROLE)
        if row.answer is None and wait_ms:
            row = await self._wait(row, min(wait_ms, WAIT_MS_MAX))
        return {
            "command": row.id.hex(),
            "action": row.action,
            "entity": row.entity,
            "is_closed": row.answer is not None,
            "answer": None if row.answer is None else show_answer(row.schema, row.answer),
        }

    async def of_file(self, caller: Caller, entity: str) -> FileProgress | Refused:
        """Return how far the commands of a file are."""
        rows = await self._rows.of_file(entity)
        if not rows:
            return Refused(Refusal.UNKNOWN)
        if not _may_see(caller, rows[0]):
            return Refused(Refusal.NOT_YOUR_ROLE)
        self._nudge()
        answers = [show_answer(row.schema, row.answer) for row in rows if row.answer is not None]
        return FileProgress(
            commands=len(rows),
            closed=len(answers),
            created=_sum(answers, "created"),
            known=_sum(answers, "known"),
            failed=sum(answer["result"] != "done" for answer in answers),
        )

    async def _wait(self, row: CommandRow, wait_ms: int) -> CommandRow:
        until_ms = self._clock.monotonic_ms() + wait_ms
        event = asyncio.Event()
        self._waiting.setdefault(row.id, set()).add(event)
        try:
            self._nudge()
            while (left_ms := until_ms - self._clock.monotonic_ms()) > 0:
                found = await self._rows.find(row.id)
                if found is None or found.answer is not None:
                    return found or row
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(left_ms, _LOOK_EVERY_MS) / 1_000):
                        await event.wait()
            return await self._rows.find(row.id) or row
        finally:
            self._waiting[row.id].discard(event)
            if not self._waiting[row.id]:
                del self._waiting[row.id]


def _may_see(caller: Caller, row: CommandRow) -> bool:
    if caller.operator == row.operator:
        return True
    show = f"{row.action.partition('.')[0]}.show"
    return refuse_role(caller, show if show in RULES else row.action) is None


def _sum(answers: Sequence[Mapping[str, Json]], name: str) -> int:
    return sum(value for answer in answers if isinstance(value := answer.get(name), int))
