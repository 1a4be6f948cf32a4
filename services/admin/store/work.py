"""One transaction over all tables of admin."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from libs.clock import Clock
from libs.pg import Connection, Pool
from services.admin.store.audit import AuditTable
from services.admin.store.commands import CommandTable
from services.admin.store.operators import OperatorTable
from services.admin.store.proposals import ProposalTable
from services.admin.store.registry import RegistryTable


class PostgresWork:
    """The tables within one transaction; of no use after it."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.registry = RegistryTable(connection)
        self.commands = CommandTable(connection, clock)
        self.proposals = ProposalTable(connection, clock)
        self.audit = AuditTable(connection, clock)
        self.operators = OperatorTable(connection, clock)


class PostgresTransactions:
    """Opens them."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PostgresWork]:
        """Open a transaction: a clean exit commits, an exception rolls back.

        Raises StoreUnavailable; CommitUnknown where the answer of the COMMIT was lost.
        """
        async with self._pool.transaction() as connection:
            yield PostgresWork(connection, self._clock)
