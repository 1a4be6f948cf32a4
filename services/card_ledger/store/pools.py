"""Two pools: one for the writer's short statements, one for what may take long."""

from contextlib import AbstractAsyncContextManager

from pydantic import SecretStr

from libs.pg import Pool, open_pool

SLOW_MS = 600_000


def open_books_pool(dsn: SecretStr, *, size: int) -> AbstractAsyncContextManager[Pool]:
    """Open the writer's pool: short statements, by index only."""
    return open_pool(dsn, name="card_ledger", size=size, seqscan=False)


def open_upkeep_pool(dsn: SecretStr) -> AbstractAsyncContextManager[Pool]:
    """Open the pool for loading, projecting and verifying."""
    return open_pool(
        dsn,
        name="card_ledger.upkeep",
        size=3,
        statement_timeout_ms=SLOW_MS,
        idle_in_transaction_ms=SLOW_MS,
    )
