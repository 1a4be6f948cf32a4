"""What a service's own role may do, as a file says it, and how far a database is from that."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg

from libs.outcome import Fault

__all__ = ["Difference", "Right", "Rights", "RightsFault", "read_rights", "rights_differences"]

_RIGHT: Final = re.compile(r"(SELECT|INSERT|UPDATE|DELETE)(?: \(([a-z_0-9]+(?:, [a-z_0-9]+)*)\))?")
_PUBLIC: Final = "PUBLIC"
# Every right that one of these grantees has on a schema, its tables, their columns and its
# routines; 0 is PUBLIC, which may run new routines unless somebody takes that away.
_FOUND: Final = """
    WITH grantee AS (
        SELECT oid, rolname::text AS name FROM pg_roles WHERE rolname = ANY($2::text[])
        UNION ALL SELECT 0, 'PUBLIC'
    ), relation AS (
        SELECT c.oid, c.relname::text AS name, c.relacl FROM pg_class c
         WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    ), held AS (
        SELECT 'SCHEMA' AS kind, n.nspname::text AS name, '' AS part, a.*
          FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
         WHERE n.oid = to_regnamespace($1)
        UNION ALL
        SELECT 'TABLE', r.name, '', a.* FROM relation r, aclexplode(r.relacl) a
        UNION ALL
        SELECT 'TABLE', r.name, t.attname::text, a.*
          FROM relation r JOIN pg_attribute t ON t.attrelid = r.oid, aclexplode(t.attacl) a
        UNION ALL
        SELECT 'ROUTINE', p.oid::regprocedure::text, '', a.*
          FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
         WHERE p.pronamespace = to_regnamespace($1)
    )
    SELECT g.name AS grantee, h.kind, h.name, h.privilege_type AS privilege, h.part
      FROM held h JOIN grantee g ON g.oid = h.grantee
"""
_TABLES: Final = """
    SELECT relname::text FROM pg_class
     WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p')
"""
_ROUTINES: Final = """
    SELECT proname::text, oid::regprocedure::text FROM pg_proc
     WHERE pronamespace = to_regnamespace($1)
"""


class RightsFault(Fault):
    """A file of rights and the schema do not fit together."""


class Right(NamedTuple):
    """One privilege on one thing."""

    kind: str  # SCHEMA, TABLE or ROUTINE.
    name: str  # A routine's with its arguments.
    privilege: str
    part: str = ""  # The column; empty: all of it.

    def of(self, schema: str) -> str:
        """Return the right as GRANT and REVOKE write it."""
        part = f" ({_quoted(self.part)})" if self.part else ""
        names = {"SCHEMA": _quoted(self.name), "TABLE": f"{_quoted(schema)}.{_quoted(self.name)}"}
        return f"{self.privilege}{part} ON {self.kind} {names.get(self.kind, self.name)}"


class Difference(NamedTuple):
    """A right that a grantee has and should not have, or lacks."""

    is_missing: bool
    grantee: str
    right: Right

    def statement(self, schema: str) -> str:
        """Return the statement that mends it."""
        what = self.right.of(schema)
        to = self.grantee if self.grantee == _PUBLIC else _quoted(self.grantee)
        return f"GRANT {what} TO {to}" if self.is_missing else f"REVOKE {what} FROM {to}"

    def sentence(self, schema: str) -> str:
        """Say it for people."""
        verb = "lacks" if self.is_missing else "should not have"
        return f"{self.grantee} {verb} {self.right.of(schema)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """The rights of one role in its own schema; everything else is refused."""

    tables: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]  # Privilege, its columns or none.
    routines: frozenset[str]  # By name, whatever their arguments.

    def on(self, schema: str, tables: Iterable[str], routines: Mapping[str, str]) -> set[Right]:
        """Return every right by itself; ``routines``: name by signature. Raises RightsFault."""
        unknown = [*(self.tables.keys() - set(tables)), *(self.routines - set(routines.values()))]
        if unknown:
            raise RightsFault(f"Rights are given on {', '.join(sorted(unknown))}, not in {schema}.")
        found = {Right("SCHEMA", schema, "USAGE")}
        for table, rights in self.tables.items():
            for privilege, columns in rights:
                found.update(Right("TABLE", table, privilege, part) for part in columns or ("",))
        return found | {
            Right("ROUTINE", signature, "EXECUTE")
            for signature, name in routines.items()
            if name in self.routines
        }


def read_rights(path: Path) -> Rights:
    """Read a file of rights; raises RightsFault for one that is not as it should be.

    ``[tables]`` has a list for each table, as ``["SELECT", "UPDATE (balance, seq)"]``;
    ``[functions] execute`` names functions.
    """
    try:
        data = tomllib.loads(path.read_text())
        return Rights(
            tables={name: tuple(_parsed(rights)) for name, rights in data["tables"].items()},
            routines=frozenset(data.get("functions", {}).get("execute", ())),
        )
    except (OSError, tomllib.TOMLDecodeError, KeyError, AttributeError, ValueError) as error:
        raise RightsFault(f"{path.name} is no file of rights: {error}.") from None


async def rights_differences(
    connection: "asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]",
    schema: str,
    rights: Rights,
    *,
    role: str,
    others: Iterable[str],
) -> list[Difference]:
    """Compare what this schema grants with what it should; any login may ask.

    PUBLIC and ``others``, the other services' roles, should have nothing. Roles that we know
    nothing of are the database's owner's business. Raises RightsFault.
    """
    name = _quoted(schema)
    tables = [row[0] for row in await connection.fetch(_TABLES, name)]
    routines = {row[1]: row[0] for row in await connection.fetch(_ROUTINES, name)}
    wanted = {(role, right) for right in rights.on(schema, tables, routines)}
    rows = await connection.fetch(_FOUND, name, [role, *others])
    found = {(row["grantee"], Right(*row[1:])) for row in rows}
    return [
        *(Difference(False, *each) for each in sorted(found - wanted)),  # noqa: FBT003 -- a field
        *(Difference(True, *each) for each in sorted(wanted - found)),  # noqa: FBT003 -- a field
    ]


def _parsed(rights: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for text in rights:
        if (found := _RIGHT.fullmatch(text)) is None:
            raise ValueError(f"{text!r} is no right")
        yield found[1], tuple((found[2] or "").split(", ")) if found[2] else ()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
