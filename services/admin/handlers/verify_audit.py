"""Verify the audit's chain from its first row, in one snapshot and in little memory."""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from services.admin.domain.audit import AuditBreak, AuditHead, ChainCheck
from services.admin.ports import AuditRows


class AuditReport(NamedTuple):
    """What was found; ``broken`` None: the chain is sound."""

    sound: AuditHead  # Up to here everything fits.
    broken: AuditBreak | None
    compared: int  # Heads from outside that it was compared with.


class VerifyAudit:
    """Walks the whole chain; one walk at a time, for it reads every row."""

    def __init__(self, rows: AuditRows) -> None:
        self._rows = rows
        self._turn = asyncio.Lock()

    async def __call__(self, published: Iterable[AuditHead] = ()) -> AuditReport:
        """Return what was found; ``published`` are heads that were written outside."""
        outside = tuple(published)
        async with self._turn, self._rows.chain() as (head, rows):
            check = ChainCheck(outside)
            async for row, stored in rows:
                if (broken := check.see(row, stored)) is not None:
                    return AuditReport(check.sound, broken, len(outside))
        return AuditReport(check.sound, check.end(head), len(outside))
