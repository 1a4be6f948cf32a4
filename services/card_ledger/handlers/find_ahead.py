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

TAIL = 120
"""So many of the last records of a partition are looked at in any case: one turn of re-sending old
batches (resend_entries.BATCHES_MAX) does not hide what stands before it."""

LONG_TAIL = 2_000
"""So many where all of those are older than the books: they were asked for again, turn by turn."""

_TRIES = 3


class BooksBehind(Fault):
    """The entries on the bus go further than the books."""


async def check_not_behind(bus: Bus, owned: Sequence[OwnedPartition]) -> None:
    """Raise BooksBehind when an entry has a higher batch number than its partition's books.

    Raises BusUnavailable where that cannot be known.
    """
    newest = await newest_batches(bus, {one.partition: one.batch_no for one in owned})
    behind = [one for one in owned if newest.get(one.partition, 0) > one.batch_no]
    if behind:
        first = min(behind)
        raise BooksBehind(
            f"the books stand at batch {first.batch_no} of partition {first.partition}, but"
            f" {ENTRIES} has batch {newest[first.partition]}: this database was restored;"
            " run lesko ledger recover"
        )


async def newest_batches(bus: Bus, ours: Mapping[int, int]) -> Mapping[int, int]:
    """Return the highest batch number by partition, as the ends of the entries topic tell it.

    ``ours``: where the books stand, by partition. A bus without entries, as the memory bus after a
    start, gives none. Raises BusUnavailable.
    """
    for _ in range(_TRIES):
        try:
            bounds = await bus.bounds(ENTRIES)
            newest = await _read_tails(bus, bounds, dict.fromkeys(bounds, TAIL))
            old = [n for n in bounds if n in newest and newest[n] < ours.get(n, 0)]
            return newest | await _read_tails(bus, bounds, dict.fromkeys(old, LONG_TAIL))
        except TopicUnknown:
            return {}
        except (LogGap, LogReplaced):
            continue  # Its beginning was dropped, or it was made anew, while we looked.
    return {}


async def _read_tails(bus: Bus, bounds: Bounds, lengths: Mapping[int, int]) -> dict[int, int]:
    starts = {n: max(bounds[n][0], bounds[n][1] - length) for n, length in lengths.items()}
    newest: dict[int, int] = {}
    async for _, records in read_to_end(bus, ENTRIES, bounds, starts):
        for partition, batch_no in map(read_place, records):
            newest[partition] = max(newest.get(partition, 0), batch_no)
    return newest
