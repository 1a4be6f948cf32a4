"""Which schemas the services have, how far the database is, and what the doctor asks it."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from libs.pg import Pool, Rights, migrate, read_migrations, read_rights, rights_differences
from services.cli.faults import CommandRefused
from services.cli.logins import OWNERS, Logins

_SERVICES: Final = Path(__file__).resolve().parents[2]
SCHEMAS: Final[Mapping[str, Path]] = {name: _SERVICES / name / "migrations" for name in OWNERS}

_HAS_TABLE = "SELECT to_regclass($1) IS NOT NULL AS found"
_NEWEST = 'SELECT coalesce(max(number), 0) AS number FROM "{schema}".migration'
_BREAKS = """
    SELECT EXISTS (SELECT FROM "{schema}".migration WHERE number > $1 AND breaks_older) AS breaks
"""
_VERSION = "SHOW server_version"
_DAYS_AHEAD = "SELECT card_ledger.days_ahead($1::date) AS days"


class SchemaState(NamedTuple):
    """How far a service's schema is, and how far these files go."""

    schema: str
    applied: int
    known: int
    breaks: bool = False  # A newer version changed it so that this one does not work with it.

    @property
    def is_newer(self) -> bool:
        """Tell whether a newer version brought it further than we know."""
        return self.applied > self.known


async def schema_states(pool: Pool, schemas: Iterable[str] = SCHEMAS) -> list[SchemaState]:
    """Compare the services' schemas with their files."""
    states = []
    for schema in schemas:
        applied, known = await _newest(pool, schema), len(read_migrations(SCHEMAS[schema]))
        breaks = applied > known and await _breaks(pool, schema, known)
        states.append(SchemaState(schema, applied, known, breaks))
    return states


async def schema_problem(pool: Pool, schemas: Iterable[str] = SCHEMAS) -> str | None:
    """Return why these tables cannot be used yet; None: they can.

    During an upgrade, and after one was taken back, they may be newer than we know. Raises
    CommandRefused where the newer version made them unusable for this one.
    """
    for schema, applied, known, breaks in await schema_states(pool, schemas):
        if applied < known:
            return (
                f"The database's {schema} tables are at migration {applied} of {known}; "
                "run lesko migrate first, or serve with --migrate."
            )
        if breaks:
            message = (
                f"The database's {schema} tables are at migration {applied}, but this version "
                f"knows {known} and does not work with them: run the newer version."
            )
            raise CommandRefused(message)
    return None


async def migrate_all(dsn: str, schemas: Iterable[str] = SCHEMAS) -> dict[str, list[str]]:
    """Bring schemas forward; return what was applied, by schema."""
    return {
        schema: [
            f"{each.number:04}_{each.name}" for each in await migrate(dsn, schema, SCHEMAS[schema])
        ]
        for schema in schemas
    }


def rights_of(schema: str) -> Rights:
    """Return what the service's own role may do; raises RightsFault."""
    return read_rights(_SERVICES / schema / "store" / "rights.toml")


async def rights_problem(pool: Pool, schema: str, logins: Logins) -> str | None:
    """Return a right that a role has or lacks against the service's file; None: all is well."""
    role = logins.role(schema)
    others = [logins.role(service) for service in OWNERS if service != schema]
    async with pool.connection() as connection:
        found = await rights_differences(
            connection, schema, rights_of(schema), role=role, others=others
        )
    return f"{found[0].sentence(schema)}: run lesko migrate" if found else None


async def server_version(pool: Pool) -> str:
    """Return the server's version, as ``15.8``."""
    rows = await pool.read(_VERSION)
    return str(rows[0][0]).split(" ", maxsplit=1)[0]


async def days_ahead(pool: Pool, today: date) -> int:
    """Return for how many days from today on the books have a partition."""
    rows = await pool.read(_DAYS_AHEAD, today)
    return int(rows[0]["days"])


async def _breaks(pool: Pool, schema: str, known: int) -> bool:
    rows = await pool.read(_BREAKS.format(schema=schema), known)
    return bool(rows[0]["breaks"])


async def _newest(pool: Pool, schema: str) -> int:
    found = await pool.read(_HAS_TABLE, f'"{schema}".migration')
    if not found[0]["found"]:
        return 0
    rows = await pool.read(_NEWEST.format(schema=schema))
    return int(rows[0]["number"])
