"""Where a partition's chain ends, as it is published outside of the database."""

from collections.abc import Sequence
from typing import NamedTuple


class PartitionHead(NamedTuple):
    """The end of one partition."""

    partition: int
    incarnation: int  # Raised by each recovery: a history may be replaced, never by itself.
    batch_no: int
    rows: int
    hash: bytes


def heads_document(heads: Sequence[PartitionHead], *, published_ms: int) -> dict[str, object]:
    """Return what is written outside; ``lesko ledger verify --head`` reads its ``heads``."""
    return {
        "kind": "ledger",
        "published_ms": published_ms,
        "incarnation": max((head.incarnation for head in heads), default=0),
        "batches": sum(head.batch_no for head in heads),
        "rows": sum(head.rows for head in heads),
        "heads": [
            {
                "partition": head.partition,
                "incarnation": head.incarnation,
                "batch_no": head.batch_no,
                "rows": head.rows,
                "hash": head.hash.hex(),
            }
            for head in heads
        ],
    }
