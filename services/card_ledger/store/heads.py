"""Where each partition's chain ends."""

from collections.abc import Sequence
from typing import Final

from libs.pg import Pool
from services.card_ledger.domain.head import PartitionHead

_HEADS: Final = """
    SELECT partition, incarnation, batch_no, serial, head FROM card_ledger.owner ORDER BY partition
"""


class PostgresHeads:
    """The owner rows' ends, all as of one moment."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def heads(self) -> Sequence[PartitionHead]:
        """Return every partition's head. Raises StoreUnavailable."""
        return [PartitionHead(*row) for row in await self._pool.read(_HEADS)]
