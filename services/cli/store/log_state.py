"""Which log the database writes now, and what it keeps of it for the archive."""

from typing import Final, NamedTuple

from libs.pg import Pool

_STATE: Final = """
    SELECT c.system_identifier AS system, pg_walfile_name(pg_current_wal_lsn()) AS segment,
           s.active, pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint AS kept_bytes
      FROM pg_control_system() c LEFT JOIN pg_replication_slots s ON s.slot_name = $1
"""


class LogState(NamedTuple):
    """What the server says of its log."""

    system: int  # Its identifier, which a copy of it has, too.
    timeline: int
    slot_is_active: bool | None  # None: it keeps nothing for the archive.
    kept_bytes: int


async def log_state(pool: Pool, slot: str) -> LogState:
    """Ask a server that takes writes; every role may."""
    [row] = await pool.read(_STATE, slot)
    system = row["system"] % 2**64  # An unsigned number, shown as a signed one.
    timeline = int(row["segment"][:8], 16)
    return LogState(system, timeline, row["active"], row["kept_bytes"] or 0)
