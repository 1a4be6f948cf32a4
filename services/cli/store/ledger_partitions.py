"""The number of partitions that the ledger's books were made with; read only."""

from libs.pg import Pool

_HAS_TABLE = "SELECT to_regclass('card_ledger.setting') IS NOT NULL AS found"
_STORED = "SELECT partitions FROM card_ledger.setting"


async def stored_partitions(pool: Pool) -> int | None:
    """Return the number, or None where the books are not made yet."""
    if not (await pool.read(_HAS_TABLE))[0]["found"]:
        return None
    rows = await pool.read(_STORED)
    return int(rows[0]["partitions"]) if rows else None
