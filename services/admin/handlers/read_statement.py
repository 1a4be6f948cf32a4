"""Tell what a wallet holds and what moved in it, page by page from the ledger."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple, Protocol

from libs.clock import day_number
from libs.contracts.lesko.v1.card_ledger_pb2 import WalletMovements
from services.admin.domain.permission import refuse_role
from services.admin.domain.refusal import Refusal, Refused
from services.admin.domain.role import Caller
from services.admin.domain.statement import (
    Adjusted,
    Note,
    PurseStatement,
    Statement,
    StatementFold,
)
from services.admin.domain.wallet import SHOW, STATEMENT
from services.admin.handlers.decide_proposal import APPROVE

ENTRIES_MAX: Final = 50_000
"""A longer statement is asked for in parts."""
ADJUSTED_MAX: Final = 20
_FAR: Final = date(9999, 12, 31)
"""Nothing is booked on this day: what its opening says is what purses hold now."""


class WalletNow(NamedTuple):
    """A wallet's purses as of now."""

    wallet: int
    purses: tuple[PurseStatement, ...]
    adjusted: tuple[Adjusted, ...]  # The latest ones, newest first, for who may see them.


class TellsMovements(Protocol):
    """The ledger, as far as it tells what moved."""

    async def movements(
        self, wallet: int, *, first_day: int, last_day: int, after: int
    ) -> WalletMovements:
        """Return one page; raises LedgerSilent and what the bus raises."""


class KeepsNotes(Protocol):
    """Where reasons of adjustments are kept."""

    async def notes(self, wallet: int) -> Mapping[bytes, Note]:
        """Return reason and document by business key."""

    async def latest(self, wallet: int, *, rows_max: int) -> Sequence[Adjusted]:
        """Return the latest adjustments, newest first, also those that were refused."""


class WritesStatement(Protocol):
    """Turns a statement into a file."""

    async def __call__(self, statement: Statement) -> bytes:
        """Return the file; other requests are served meanwhile."""


class ReadStatement:
    """Statements are read by role alone: a wallet has no region, its card works everywhere."""

    def __init__(
        self,
        ledger: TellsMovements,
        kept: KeepsNotes,
        writers: Mapping[str, WritesStatement],
    ) -> None:
        """``writers`` by the name of their format."""
        self._ledger = ledger
        self._kept = kept
        self._writers = writers

    async def now(self, caller: Caller, wallet: int) -> WalletNow | Refused:
        """Return what a wallet's purses hold, as of the last committed row."""
        if (why := refuse_role(caller, SHOW)) is not None:
            return Refused(why)
        found = await self._fold(wallet, _FAR, _FAR)
        if isinstance(found, Refused):
            return found
        may_see = any(refuse_role(caller, action) is None for action in (STATEMENT, APPROVE))
        adjusted = await self._kept.latest(wallet, rows_max=ADJUSTED_MAX) if may_see else ()
        return WalletNow(wallet, found.statement({}).purses, tuple(adjusted))

    async def statement(
        self, caller: Caller, wallet: int, *, first: date, last: date
    ) -> Statement | Refused:
        """Return a wallet's movements from one booking day to another, both included."""
        if (why := refuse_role(caller, STATEMENT)) is not None:
            return Refused(why)
        if first > last:
            return Refused(Refusal.NOT_ALLOWED, "The first day is after the last one.")
        found = await self._fold(wallet, first, last)
        if isinstance(found, Refused):
            return found
        return found.statement(await self._kept.notes(wallet))

    async def file(
        self, caller: Caller, wallet: int, *, first: date, last: date, form: str
    ) -> bytes | Refused:
        """Return a statement as a file of one of the formats."""
        found = await self.statement(caller, wallet, first=first, last=last)
        return found if isinstance(found, Refused) else await self._writers[form](found)

    async def _fold(self, wallet: int, first: date, last: date) -> StatementFold | Refused:
        fold, after, has_more = StatementFold(wallet, first, last), 0, True
        while has_more:
            page = await self._ledger.movements(
                wallet, first_day=day_number(first), last_day=day_number(last), after=after
            )
            fold.add(page)
            if not fold.is_known:
                return Refused(Refusal.UNKNOWN, "The ledger knows no purse of this wallet.")
            if fold.rows > ENTRIES_MAX:
                detail = f"It has more than {ENTRIES_MAX} movements; ask for a shorter period."
                return Refused(Refusal.NOT_ALLOWED, detail)
            has_more = page.has_more
            after = page.movements[-1].id if page.movements else after
            await asyncio.sleep(0)  # Others' turn: a page may come at once.
        return fold
