"""The hash chain: each batch hashes the one before it and every column of its rows."""

from collections.abc import Iterable
from hashlib import sha256
from struct import Struct
from typing import NamedTuple

from services.card_ledger.domain.transfer import Transfer

GENESIS = bytes(32)

_HEAD = Struct(">iiqqqqqiq")
_ROW = Struct(">qihhiqqqqqqqiqqqihii5H")


class BatchHead(NamedTuple):
    """One committed batch of one partition; what its hash covers beside the rows."""

    incarnation: int
    partition: int
    no: int
    epoch: int
    first_id: int  # 0 for a batch without rows.
    last_id: int
    source_offset: int
    rows: int
    at_ms: int


def chain_hash(previous: bytes, head: BatchHead, rows: Iterable[Transfer]) -> bytes:
    """Return the batch's hash: SHA-256 over the previous one, the head and all rows."""
    digest = sha256(previous)
    digest.update(_HEAD.pack(*head))
    for row in rows:
        digest.update(_canonical(row))
    return digest.digest()


def _canonical(row: Transfer) -> bytes:
    """Write a row as fixed-width numbers and length-prefixed text, so that no two look alike."""
    (
        number, key_day, key, leg, kind, outcome, debit, credit, amount, debit_after,
        credit_after, debit_seq, ref, booked_on, asked, wallet, card, token, processing_code,
        goods_class, outlet, terminal, stan, rrn_sent, flags,
    ) = row  # fmt: skip
    place, device, reference = outlet.encode(), terminal.encode(), rrn_sent.encode()
    return b"".join((
        _ROW.pack(
            number, key_day, leg, kind, outcome, debit, credit, amount, debit_after,
            credit_after, debit_seq, ref, booked_on, asked, wallet, card, processing_code,
            goods_class, stan, flags,
            len(key), len(token), len(place), len(device), len(reference),
        ),
        key, token, place, device, reference,
    ))  # fmt: skip
