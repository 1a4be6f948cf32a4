"""See whether the topic of entries knows more than the books: then these were restored.

Entries are published only after their commit, so no healthy ledger ever finds one that is ahead.
"""

from collections.abc import Mapping, Sequence

from libs.bus import LogGap, LogReplaced, TopicUnknown
from libs.bus.port import Bus
from libs.bus.read_to_end import Bounds, read_to_end
from libs.contracts.topics import ENTRIES
from libs.outcome import Fault
from services.card_ledger.handlers.read_entries import read_place
from services.card_ledger.ports import OwnedPartition

TAIL = 20
"""So many of the last records of a partition are looked at: the very last ones may be old batches
that a reader asked for again."""

_TRIES = 3


class BooksBehind(Fault):
    """The entries on the bus go further than the books."""


async def check_not_behind(bus: Bus, owned: Sequence[OwnedPartition]) -> None:
    """Raise BooksBehind when an entry has a higher batch number than its partition's books.

    Raises BusUnavailable where that cannot be known.
    """
    newest = await newest_batches(bus)
    behind = [one for one in owned if newest.get(one.partition, 0) > one.batch_no]
    if behind:
        first = min(behind)
        raise BooksBehind(
            f"the books stand at batch {first.batch_no} of partition {first.partition}, but"
            f" {ENTRIES} has batch {newest[first.partition]}: this database was restored;"
            " run lesko ledger recover"
        )


async def newest_batches(bus: Bus) -> Mapping[int, int]:
    """Return the highest batch number by partition, as the ends of the entries topic tell it.

    A bus without entries, as the memory bus after a start, gives none. Raises BusUnavailable.
    """
    for _ in range(_TRIES):
        try:
            return await _read_tails(bus, await bus.bounds(ENTRIES))
        except TopicUnknown:
            return {}
        except (LogGap, LogReplaced):
            continue  # Its beginning was dropped, or it was made anew, while we looked.
    return {}


async def _read_tails(bus: Bus, bounds: Bounds) -> dict[int, int]:
    starts = {number: max(first, end - TAIL) for number, (first, end) in bounds.items()}
    newest: dict[int, int] = {}
    async for _, records in read_to_end(bus, ENTRIES, bounds, starts):
        for partition, batch_no in map(read_place, records):
            newest[partition] = max(newest.get(partition, 0), batch_no)
    return newest
