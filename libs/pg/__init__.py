"""PostgreSQL for our services: faults, pool, migrations; the embedded server is in pg.server."""

from libs.pg.faults import CommitUnknown, StoreBroken, StoreConflict, StoreUnavailable, translate
from libs.pg.migrations import Migration, MigrationFault, migrate, read_migrations
from libs.pg.pool import Connection, Pool, open_pool

__all__ = [
    "CommitUnknown",
    "Connection",
    "Migration",
    "MigrationFault",
    "Pool",
    "StoreBroken",
    "StoreConflict",
    "StoreUnavailable",
    "migrate",
    "open_pool",
    "read_migrations",
    "translate",
]
