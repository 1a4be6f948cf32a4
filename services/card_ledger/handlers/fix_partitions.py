"""Fix the number of partitions at the first start; ever after it must be what everybody counts."""

from typing import Protocol

from libs.bus import Bus
from libs.contracts.topics import COMMANDS
from libs.outcome import Fault


class PartitionsDiffer(Fault):
    """Somebody counts partitions otherwise than the books do."""


class StoresPartitions(Protocol):
    """The books, as far as their number of partitions goes (store.upkeep)."""

    async def fix_partitions(self, wanted: int) -> int:
        """Store the number on the first call; return what is stored, for ever."""


async def fix_partitions(upkeep: StoresPartitions, bus: Bus, wanted: int) -> int:
    """Return the number of partitions of the books. Raises PartitionsDiffer."""
    stored = await upkeep.fix_partitions(wanted)
    found = (await bus.topic(COMMANDS)).partitions
    for who, number in (("the setting", wanted), (COMMANDS, found)):
        if number != stored:
            message = (
                f"the books have {stored} partitions but {who} says {number};"
                f" set LESKO_CARD_LEDGER__PARTITIONS={stored}"
            )
            raise PartitionsDiffer(message)
    return stored
