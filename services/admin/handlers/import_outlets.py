"""Take over a whole file of new outlets, or nothing of it and every problem that it has."""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from libs.clock import Clock
from libs.contracts.lesko.v1.registry_pb2 import RegistryChange
from libs.registry.entities import OutletGroup, group_entity, outlet_entity, terminal_entity
from libs.registry.records import Entry, read_entry, write_change
from services.admin.domain.act import Act, Json
from services.admin.domain.outlet_rows import (
    KnownCodes,
    OutletRow,
    Problem,
    RowChecker,
    named_groups,
    outlet_of,
    terminal_of,
)
from services.admin.domain.permission import refuse_role
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Caller
from services.admin.ports import RegistryWork, Transactions, Work

IMPORT: Final = "outlet.import"
PROBLEMS_SHOWN: Final = 100
_ENTITY: Final = "outlet"
_ROWS_AT_ONCE: Final = 500
"""Between two pieces of this size other work of the process has its turn."""
_FIRST_VERSION: Final = 1


class OutletFile(NamedTuple):
    """What was read of a file, and the SHA-256 of its bytes in hex."""

    rows: Sequence[OutletRow]
    sha256: str
    may_omit_mac: bool = False  # Pilot only: its terminals may send without a MAC.
    is_check: bool = False  # Nothing is written, whatever is found.


class Imported(NamedTuple):
    """It is all in the registry."""

    outlets: int
    terminals: int


class Problems(NamedTuple):
    """Nothing was written: the first problems, and how many there are in all."""

    first: Sequence[Problem]
    total: int


class ImportOutlets:
    """One file, one transaction, one row of the audit."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions = transactions
        self._clock = clock

    async def __call__(self, caller: Caller, file: OutletFile) -> Imported | Problems | Refused:
        """Import a file; raises the store's faults, and then nothing was written."""
        async with self._transactions.begin() as work:
            answer = await self._import(work, caller, file)
            if not file.is_check or isinstance(answer, Refused):
                await _note(work, caller, file, answer)
        return answer

    async def _import(
        self, work: Work, caller: Caller, file: OutletFile
    ) -> Imported | Problems | Refused:
        if (why := refuse_role(caller, IMPORT)) is not None:
            return Refused(why)
        if not file.rows and not file.is_check:
            return Refused(Refusal.NOT_ALLOWED, "The file has no row below its header.")
        await work.registry.hold()
        checker = RowChecker(await _known(work.registry, file.rows), caller.scope)
        problems: list[Problem] = []
        count = 0
        for piece in _pieces(file.rows):
            found = list(checker.check(piece))
            problems += found[: PROBLEMS_SHOWN - len(problems)]
            count += len(found)
            await asyncio.sleep(0)
        if count or file.is_check:
            return Problems(problems, count)
        return await self._write(work.registry, file)

    async def _write(self, registry: RegistryWork, file: OutletFile) -> Imported:
        number = await registry.outlet_numbers(len(file.rows))
        written = 0
        for piece in _pieces(file.rows):
            entries: list[Entry] = []
            for row in piece:
                entries.append(outlet_of(row, number))
                number += 1
                if row.terminal:
                    entries.append(terminal_of(row, may_omit_mac=file.may_omit_mac))
            await registry.write(self._changes(entries))
            written += len(entries)
        return Imported(len(file.rows), written - len(file.rows))

    def _changes(self, entries: Sequence[Entry]) -> list[RegistryChange]:
        now_ms = self._clock.now_ms()
        return [write_change(one, version=_FIRST_VERSION, changed_ms=now_ms) for one in entries]


async def _known(registry: RegistryWork, rows: Sequence[OutletRow]) -> KnownCodes:
    """Look up what the file names."""
    outlets = {outlet_entity(row.code): row.code for row in rows}
    terminals = {terminal_entity(row.terminal): row.terminal for row in rows if row.terminal}
    there = await registry.find([*outlets, *terminals])
    groups = await registry.find([group_entity(code) for code in named_groups(rows)])
    known = [one for one in map(read_entry, groups.values()) if isinstance(one, OutletGroup)]
    return KnownCodes(
        outlets={outlets[entity] for entity in there if entity in outlets},
        terminals={terminals[entity] for entity in there if entity in terminals},
        groups={group.code: group for group in known},
    )


async def _note(
    work: Work, caller: Caller, file: OutletFile, answer: Imported | Problems | Refused
) -> None:
    content: dict[str, Json] = {"rows": len(file.rows), "sha256": file.sha256}
    result, more = "refused", dict[str, Json]()
    match answer:
        case Imported(outlets, terminals):
            result, more = "done", {"outlets": outlets, "terminals": terminals}
        case Problems(total=total):
            more = {"problems": total}
        case Refused(why):
            more = {"why": why.name}
    if file.may_omit_mac:
        content["may_omit_mac"] = True
    await work.audit.add(caller, Act(IMPORT, _ENTITY, content), result, more)


def _pieces(rows: Sequence[OutletRow]) -> Iterator[Sequence[OutletRow]]:
    left = iter(rows)
    while piece := list(islice(left, _ROWS_AT_ONCE)):
        yield piece
