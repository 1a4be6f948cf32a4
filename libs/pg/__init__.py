"""PostgreSQL for our services: faults, pool, migrations, roles; pg.server runs one of our own."""

from libs.pg.faults import (
    DRIVER_TROUBLE,
    AccessRefused,
    CommitUnknown,
    StoreBroken,
    StoreConflict,
    StoreUnavailable,
    translate,
)
from libs.pg.login import database_of, password_of, user_of, with_login
from libs.pg.migrations import (
    Migration,
    MigrationBlocked,
    MigrationFault,
    migrate,
    read_migrations,
)
from libs.pg.password_files import (
    PasswordFault,
    keep_password,
    new_password,
    read_password,
)
from libs.pg.pool import Connection, Pool, open_pool
from libs.pg.rights import Rights, RightsFault, read_rights, rights_differences
from libs.pg.roles import RoleFault, RoleLogin, grant_rights, make_roles, roles_present

__all__ = [
    "DRIVER_TROUBLE",
    "AccessRefused",
    "CommitUnknown",
    "Connection",
    "Migration",
    "MigrationBlocked",
    "MigrationFault",
    "PasswordFault",
    "Pool",
    "Rights",
    "RightsFault",
    "RoleFault",
    "RoleLogin",
    "StoreBroken",
    "StoreConflict",
    "StoreUnavailable",
    "database_of",
    "grant_rights",
    "keep_password",
    "make_roles",
    "migrate",
    "new_password",
    "open_pool",
    "password_of",
    "read_migrations",
    "read_password",
    "read_rights",
    "rights_differences",
    "roles_present",
    "translate",
    "user_of",
    "with_login",
]
