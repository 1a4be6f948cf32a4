"""Records of entries, read back as they were written."""

from google.protobuf.message import DecodeError

from libs.bus.port import Record
from libs.contracts.lesko.v1 import card_ledger_pb2 as wire
from libs.outcome import Fault
from services.card_ledger.domain.chain import BatchHead
from services.card_ledger.domain.recovery import Entry
from services.card_ledger.domain.transfer import Transfer


class EntriesBroken(Fault):
    """A record on the entries topic is none of ours; the text names its place."""


def read_entries(record: Record) -> Entry:
    """Turn a record into the batch that it carries; raises EntriesBroken."""
    found = _parse(record)
    rows = tuple(map(_row, found.transfers))
    head = BatchHead(
        found.incarnation,
        found.partition,
        found.batch_no,
        found.epoch,
        rows[0].id if rows else 0,
        rows[-1].id if rows else 0,
        found.source_offset,
        len(rows),
        found.at_ms,
    )
    return Entry(head, found.previous_hash, found.hash, rows)


def read_place(record: Record) -> tuple[int, int]:
    """Return partition and batch number of a record; raises EntriesBroken."""
    found = _parse(record)
    return found.partition, found.batch_no


def _parse(record: Record) -> wire.LedgerEntries:
    try:
        found = wire.LedgerEntries.FromString(record.value)
    except DecodeError:
        found = None
    if found is None or found.partition != record.partition or found.batch_no <= 0:
        where = f"{record.topic}/{record.partition}@{record.offset}"
        raise EntriesBroken(f"the record at {where} carries no entries of its partition")
    return found


def _row(row: wire.Transfer) -> Transfer:
    return Transfer(
        row.id, row.key_day, row.key, row.leg, row.kind, row.outcome, row.debit, row.credit,
        row.amount_minor, row.debit_after, row.credit_after, row.debit_seq, row.ref,
        row.booked_on, row.asked_minor, row.wallet, row.card, row.card_token,
        row.processing_code, row.goods_class, row.outlet, row.terminal, row.stan, row.rrn_sent,
        row.flags,
    )  # fmt: skip
