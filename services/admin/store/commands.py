"""The outbox's table: commands for other services, open until their answer has come."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from libs.clock import Clock
from libs.pg import Connection, Pool
from services.admin.ports import Answered, CommandRow, NewCommand, OpenCommand

_ADD: Final = """
    INSERT INTO admin.command (id, topic, partition, key, schema, record, action, entity, reason,
                               document, operator, made_at)
    SELECT v.*, $11, $12
      FROM unnest($1::bytea[], $2::text[], $3::int[], $4::bytea[], $5::text[], $6::bytea[],
                  $7::text[], $8::text[], $9::text[], $10::text[]) AS v
"""
# The first ones of each partition, so that one which is stuck holds up no other; and of one entity
# the oldest only: what was asked later must not be done earlier.
_OPEN: Final = """
    SELECT c.id, c.topic, c.partition, c.key, c.schema, c.record
      FROM (SELECT DISTINCT topic, partition FROM admin.command WHERE closed_at IS NULL) AS p
     CROSS JOIN LATERAL (
           SELECT id, no, topic, partition, key, schema, record FROM admin.command AS o
            WHERE o.closed_at IS NULL AND o.topic = p.topic AND o.partition = p.partition
              AND NOT EXISTS (SELECT 1 FROM admin.command AS older
                               WHERE older.closed_at IS NULL AND older.entity = o.entity
                                 AND older.no < o.no)
            ORDER BY o.no LIMIT $1) AS c
     ORDER BY c.no
"""
_CLOSE: Final = """
    UPDATE admin.command AS c SET closed_at = $4, answer = v.answer
      FROM unnest($1::bytea[], $2::text[], $3::bytea[]) AS v(id, schema, answer)
     WHERE c.id = v.id AND c.schema = v.schema AND c.closed_at IS NULL
    RETURNING c.id
"""
_FIND: Final = """
    SELECT id, schema, action, entity, operator, answer FROM admin.command WHERE id = $1
"""
_OF_FILE: Final = """
    SELECT id, schema, action, entity, operator, answer FROM admin.command
     WHERE entity >= $1 || '/' AND entity < $1 || '0' ORDER BY entity, no
"""


class CommandTable:
    """The outbox within a transaction."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def add(self, commands: Sequence[NewCommand], *, operator: int) -> None:
        """Keep commands to be sent after the commit."""
        columns = [list(column) for column in zip(*commands, strict=True)]
        await self._connection.execute(_ADD, *columns, operator, _now(self._clock))


class CommandStore:
    """The outbox as its sender and its readers see it."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def open_commands(self, *, rows_max: int) -> Sequence[OpenCommand]:
        """Return the oldest open commands, at most so many of each partition."""
        return [OpenCommand(*row) for row in await self._pool.read(_OPEN, rows_max)]

    async def close(self, answers: Sequence[Answered]) -> Sequence[bytes]:
        """Close what these answer; return the ids of those that were open. Idempotent."""
        first: dict[bytes, Answered] = {}
        for one in answers:
            first.setdefault(one.id, one)
        columns = [list(column) for column in zip(*first.values(), strict=True)]
        rows = await self._pool.write(_CLOSE, *columns, _now(self._clock))
        return [row["id"] for row in rows]

    async def find(self, command_id: bytes) -> CommandRow | None:
        """Return a command as it stands."""
        for row in await self._pool.read(_FIND, command_id):
            return CommandRow(*row)
        return None

    async def of_file(self, entity: str) -> Sequence[CommandRow]:
        """Return the commands of all parts of a file, whose entities begin with its own."""
        return [CommandRow(*row) for row in await self._pool.read(_OF_FILE, entity)]


def _now(clock: Clock) -> datetime:
    return datetime.fromtimestamp(clock.now_ms() / 1_000, UTC)
