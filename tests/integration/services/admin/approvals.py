"""Admin's tables on a real PostgreSQL, with people in them, for tests of who may do what."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg

from libs.fakes.clock import FixedClock
from libs.fakes.operators import NoteExecutor
from libs.pg import Pool, open_pool
from services.admin.domain.act import Act, Target
from services.admin.domain.role import Caller, Role, Scope
from services.admin.handlers.decide_proposal import DecideProposal
from services.admin.handlers.perform_act import PerformAct, Proposed
from services.admin.store.audit import AuditStore
from services.admin.store.work import PostgresTransactions

MIGRATIONS: Final = {"admin": Path("services/admin/migrations")}
NOON_MS: Final = 1_795_600_000_000
SET: Final = Act("product.set", "product/standard", {"ceiling": 1}, "because", "paper 7")
MakeDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]

_PERSON: Final = """
    INSERT INTO admin.operator (login, name, role, made_at) VALUES ($1, $1, $2, now())
    RETURNING id
"""


class Office:
    """People, their proposals, and the tables behind them."""

    def __init__(self, dsn: str, pool: Pool) -> None:
        self.dsn = dsn
        self.pool = pool
        self.clock = FixedClock(NOON_MS)
        self.transactions = PostgresTransactions(pool, self.clock)
        self.executor = NoteExecutor(target=Target(version=4))
        executors = {"product": self.executor, "outlet": self.executor}
        self.perform = PerformAct(self.transactions, executors)
        self.decide = DecideProposal(self.transactions, executors)
        self.audit = AuditStore(pool)

    async def person(self, login: str, role: Role) -> Caller:
        """Make an operator who has signed in with a second factor."""
        [row] = await self.pool.write(_PERSON, login, int(role))
        return Caller(row["id"], login, role, Scope(), has_factor=True)

    async def proposal(self, maker: Caller) -> int:
        """Propose a change of a product; return its number."""
        answer = await self.perform(maker, SET)
        assert isinstance(answer, Proposed)
        return answer.number

    async def hash_of(self, number: int) -> bytes:
        """Return what a checker agrees to."""
        async with self.transactions.begin() as work:
            found = await work.proposals.show(number)
        assert found is not None
        return found.hash

    async def tell(self, sql: str, *args: Any) -> None:
        """Say something to the database as the owner of the tables, past all of our code."""
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(sql, *args)
        finally:
            await connection.close()


@asynccontextmanager
async def open_office(make_database: MakeDatabase) -> AsyncIterator[Office]:
    """Open an office on a fresh database."""
    dsn = await make_database(MIGRATIONS)
    async with open_pool(dsn, name="test office", size=6) as pool:
        yield Office(dsn, pool)
