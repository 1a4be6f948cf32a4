"""Read a topic from given places up to where it ended when the reading began."""

from collections.abc import AsyncIterator, Mapping, Sequence

from libs.bus.port import Bus, Record

Bounds = Mapping[int, tuple[int, int]]
"""First offset and the one behind the last, by partition."""

_TAKE = 500
_WAIT_MS = 1_000


async def read_to_end(
    bus: Bus, topic: str, bounds: Bounds, starts: Mapping[int, int]
) -> AsyncIterator[tuple[int, Sequence[Record]]]:
    """Yield partitions with records in order, to the ends that ``bounds`` names or a little beyond.

    Partitions that are not in ``starts`` are left out. Raises what the reader raises.
    """
    left = {number: bounds[number][1] for number, at in starts.items() if at < bounds[number][1]}
    if not left:
        return
    reader = await bus.open_reader(topic, starts={number: starts[number] for number in left})
    try:
        while left:
            taken = await reader.take(wait_ms=_WAIT_MS, records_max=_TAKE)
            if not taken:
                return  # What stands at an end need not be a record.
            for number, records in taken.items():
                yield number, records
                if records[-1].offset + 1 >= bounds[number][1]:
                    left.pop(number, None)
    finally:
        await reader.close()
