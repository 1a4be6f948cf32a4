"""Where each partition's books end, and each terminal's last row in them; read only."""

from datetime import datetime
from typing import NamedTuple

from libs.pg import Pool

_ENDS = """
    SELECT o.partition, o.batch_no, coalesce(b.at_ms, 0) AS at_ms
      FROM card_ledger.owner o
      LEFT JOIN card_ledger.batch b ON b.partition = o.partition AND b.no = o.batch_no
     ORDER BY o.partition
"""
_TERMINALS = """
    SELECT DISTINCT ON (outlet, terminal) outlet, terminal, stan, at, kind, outcome, asked
      FROM card_ledger.transfer WHERE terminal <> '' ORDER BY outlet, terminal, at DESC, id DESC
"""


class BookEnd(NamedTuple):
    """A partition's last batch; ``at_ms`` 0: it has none."""

    partition: int
    batch_no: int
    at_ms: int


class LastRow(NamedTuple):
    """The newest row that a terminal asked for; the amount in minor units."""

    outlet: str
    terminal: str
    stan: int
    at: datetime
    kind: int
    outcome: int
    asked: int


async def book_ends(pool: Pool) -> list[BookEnd]:
    """Return the end of every partition."""
    return [BookEnd(*row) for row in await pool.read(_ENDS)]


async def last_rows(pool: Pool) -> list[LastRow]:
    """Return every terminal's last row, by outlet and terminal."""
    return [LastRow(*row) for row in await pool.read(_TERMINALS)]
