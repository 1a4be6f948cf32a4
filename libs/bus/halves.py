"""Cutting a batch in two; pure."""

from collections.abc import Mapping, Sequence

from libs.bus.port import Record

Batch = Mapping[int, Sequence[Record]]
"""Records by partition, in order; a partition without records is not there."""


def halves(batch: Batch) -> tuple[Batch, Batch] | None:
    """Cut a batch so that no record of the second half stands before one of the first.

    None for a single record.
    """
    left = sum(map(len, batch.values())) // 2
    if left == 0:
        return None
    first: dict[int, Sequence[Record]] = {}
    second: dict[int, Sequence[Record]] = {}
    for partition, records in batch.items():
        if left >= len(records):
            first[partition] = records
        elif left > 0:
            first[partition], second[partition] = records[:left], records[left:]
        else:
            second[partition] = records
        left = max(0, left - len(records))
    return first, second
