"""Why wallets were adjusted, as the outbox keeps it for ever."""

from collections.abc import Mapping, Sequence
from typing import Final

from libs.pg import Pool
from services.admin.domain.statement import Adjusted, Note
from services.admin.domain.wallet import ADJUST, wallet_entity

_OF_WALLET: Final = """
    SELECT key, reason, document FROM admin.command WHERE entity = $1 AND action = $2
"""

_LATEST: Final = """
    SELECT id, (made_at AT TIME ZONE $4)::date AS made_on, reason, document, answer
      FROM admin.command
     WHERE entity = $1 AND action = $2 ORDER BY no DESC LIMIT $3
"""


class AdjustmentStore:
    """Reads the commands of manual adjustments; their days are those of ``zone``."""

    def __init__(self, pool: Pool, zone: str) -> None:
        self._pool = pool
        self._zone = zone

    async def notes(self, wallet: int) -> Mapping[bytes, Note]:
        """Return reason and document of a wallet's adjustments, by their business key."""
        rows = await self._pool.read(_OF_WALLET, wallet_entity(wallet), ADJUST)
        return {row["key"]: Note(row["reason"], row["document"]) for row in rows}

    async def latest(self, wallet: int, *, rows_max: int) -> Sequence[Adjusted]:
        """Return a wallet's latest adjustments, newest first, also those that were refused."""
        rows = await self._pool.read(_LATEST, wallet_entity(wallet), ADJUST, rows_max, self._zone)
        return [
            Adjusted(row["id"], row["made_on"], Note(row["reason"], row["document"]), row["answer"])
            for row in rows
        ]
