"""Take over a whole file of new cards, or nothing of it and every problem that it has."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from secrets import token_bytes
from typing import Final, NamedTuple

from libs.clock import day_of
from libs.contracts.topics import CARD_COMMAND, REQUESTS
from libs.registry.entities import EntityStatus, Product
from libs.registry.records import read_entry
from services.admin.domain.act import Act, Json
from services.admin.domain.card import IMPORT, file_entity, part_entity
from services.admin.domain.card_rows import CardRowChecker
from services.admin.domain.outlet_rows import Problem
from services.admin.domain.permission import refuse_role, refuse_scope
from services.admin.domain.product import in_force, status_of
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import EVERYWHERE, Caller
from services.admin.handlers.card_parts import CardParts, Part, Sealer, with_id
from services.admin.handlers.read_card_file import read_rows
from services.admin.ports import NewCommand, Transactions, Work

_ROWS_AT_ONCE: Final = 200
"""A few milliseconds; between two pieces of this size other work of the process has its turn."""
_COMMANDS_AT_ONCE: Final = 20
_ID_BYTES: Final = 16
_PRODUCT_SETS_MAX: Final = 10_000


class Imported(NamedTuple):
    """It is all in the outbox."""

    file: bytes
    rows: int
    commands: int


class Problems(NamedTuple):
    """Nothing was written: the first problems, how many there are in all, and rows read."""

    first: Sequence[Problem]
    total: int
    rows: int


Found = Imported | Problems | Refused


def _new_id() -> bytes:
    return token_bytes(_ID_BYTES)


class ImportCards:
    """One file at a time, one transaction, one row of the audit; numbers are sealed row by row."""

    def __init__(
        self,
        transactions: Transactions,
        sealer: Sealer,
        *,
        partitions: int,
        today: Callable[[], int],
        new_id: Callable[[], bytes] = _new_id,
    ) -> None:
        """``partitions`` of the requests topic; ``today`` is the business day since 1970-01-01."""
        self._transactions = transactions
        self._sealer = sealer
        self._partitions = partitions
        self._today = today
        self._new_id = new_id
        self._is_busy = False

    async def __call__(
        self, caller: Caller, parts: AsyncIterator[bytes], *, is_check: bool = False
    ) -> Found:
        """Import a file of CSV; with ``is_check`` nothing is written, whatever is found.

        Raises the store's faults, and then nothing was written.
        """
        why = refuse_role(caller, IMPORT) or refuse_scope(caller, EVERYWHERE)
        if why is not None:
            return await self._note(caller, Refused(why))
        if self._is_busy:
            return Refused(Refusal.WRONG_STATE, "Another file is being read; try again soon.")
        self._is_busy = True  # What one file needs of memory is bounded, not what many do.
        try:
            data = b"".join([part async for part in parts])
            return await self._import(caller, data, is_check=is_check)
        finally:
            self._is_busy = False

    async def _import(self, caller: Caller, data: bytes, *, is_check: bool) -> Found:
        async with self._transactions.begin() as work:
            products = await _products(work, self._today())
        checker = CardRowChecker(products, day_of(self._today()))
        reading = CardParts(checker, products, self._sealer, self._partitions)
        rows = read_rows(data)
        while piece := list(islice(rows, _ROWS_AT_ONCE)):
            reading.take(piece)
            await asyncio.sleep(0)
        if is_check or reading.count:
            found = Problems(reading.problems, reading.count, reading.rows)
            return found if is_check else await self._note(caller, found)
        if not reading.rows:
            empty = Refused(Refusal.NOT_ALLOWED, "The file has no row below its header.")
            return await self._note(caller, empty)
        return await self._write(caller, reading.finish(), reading.rows)

    async def _write(self, caller: Caller, parts: Sequence[Part], rows: int) -> Imported:
        file = self._new_id()
        commands = self._commands(file, parts)
        async with self._transactions.begin() as work:
            while some := list(islice(commands, _COMMANDS_AT_ONCE)):
                await work.commands.add(some, operator=caller.operator)
            answer = Imported(file, rows, len(parts))
            await _audit(work, caller, file, answer)
        return answer

    def _commands(self, file: bytes, parts: Sequence[Part]) -> Iterator[NewCommand]:
        for number, part in enumerate(parts, start=1):
            command = self._new_id()
            yield NewCommand(
                id=command,
                topic=REQUESTS,
                partition=part.partition,
                key=part.key,
                schema=CARD_COMMAND,
                record=with_id(part, command),
                action=IMPORT,
                entity=part_entity(file, number),
            )

    async def _note(self, caller: Caller, answer: Problems | Refused) -> Problems | Refused:
        async with self._transactions.begin() as work:
            await _audit(work, caller, self._new_id(), answer)
        return answer


async def _audit(work: Work, caller: Caller, file: bytes, answer: Found) -> None:
    """Write what came of it: never the file's name, its hash or anything that it holds."""
    content: dict[str, Json] = {}
    result, more = "refused", dict[str, Json]()
    match answer:
        case Imported(rows=rows, commands=commands):
            content, result, more = {"rows": rows}, "done", {"commands": commands}
        case Problems(total=total, rows=rows):
            content, more = {"rows": rows}, {"problems": total}
        case Refused(why):
            more = {"why": why.name}
    await work.audit.add(caller, Act(IMPORT, file_entity(file), content), result, more)


async def _products(work: Work, today: int) -> Mapping[str, Product]:
    """Return the parameters in force today of every product that is neither paused nor closed."""
    changes = await work.registry.list("product", after="", rows_max=_PRODUCT_SETS_MAX)
    sets = [one for one in map(read_entry, changes) if isinstance(one, Product)]
    sets.sort(key=lambda one: one.code)
    found: dict[str, Product] = {}
    for code, some in groupby(sets, key=lambda one: one.code):
        of_product = list(some)
        now = in_force(of_product, today)
        if now is not None and status_of(of_product) is EntityStatus.ACTIVE:
            found[code] = now
    return found
