"""Publish stored entries again for readers that miss some, a bounded stretch at a time."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from libs.bus.port import Outgoing
from services.card_ledger.domain.command import Resend
from services.card_ledger.domain.transfer import Transfer
from services.card_ledger.handlers.records import entries_record
from services.card_ledger.ports import Batch

BATCHES_MAX = 100
ROWS_MAX = 2_000
"""So much is sent again in one turn, whoever asks for how much: others wait for their answers."""


class ReadsBatches(Protocol):
    """The books, as far as batches are read back."""

    async def read_batches(
        self, partition: int, first: int, last: int, *, batches_max: int, rows_max: int
    ) -> Sequence[tuple[Batch, Sequence[Transfer]]]:
        """Return the first stored batches of a range, each with its rows."""


async def resend_entries(
    books: ReadsBatches, asked: Iterable[tuple[int, Resend]]
) -> list[Outgoing]:
    """Return entries as they were sent the first time; ``asked`` holds partitions and ranges.

    What is beyond the bounds is left out: who still misses something asks again.
    """
    outgoing: list[Outgoing] = []
    rows_left = ROWS_MAX
    for partition, resend in asked:
        batches_max = BATCHES_MAX - len(outgoing)
        if batches_max <= 0 or rows_left <= 0:
            break
        for batch, rows in await books.read_batches(
            partition,
            resend.first_batch_no,
            resend.last_batch_no,
            batches_max=batches_max,
            rows_max=rows_left,
        ):
            outgoing.append(entries_record(batch, rows))
            rows_left -= len(rows)
    return outgoing
