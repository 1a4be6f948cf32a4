"""Records in, records out: the only place of the ledger that knows protocol buffers."""

from collections.abc import Sequence

from google.protobuf.message import DecodeError

from libs.bus.port import Outgoing
from libs.contracts import topics
from libs.contracts.envelope import first_envelope
from libs.contracts.keys import KEY_BYTES
from libs.contracts.lesko.v1 import card_ledger_pb2 as wire
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerAnswer, LedgerCommand, LedgerEntries
from libs.outcome import Fault, Outcome
from services.card_ledger.domain.answer import Answer, PurseAmount
from services.card_ledger.domain.command import (
    AccountTerms,
    Body,
    Command,
    Inquiry,
    Limits,
    Line,
    MovementsAsked,
    OpenPurses,
    Posting,
    PostingLeg,
    Purchase,
    Reference,
    Resend,
    Reversal,
)
from services.card_ledger.domain.kinds import TransferKind
from services.card_ledger.domain.movement import WALLET_MAX, Movements
from services.card_ledger.domain.opening import is_purse
from services.card_ledger.domain.transfer import Transfer
from services.card_ledger.ports import Batch


class CommandBroken(Fault):
    """A record on the commands topic is none of ours."""


_KEYED = ("purchase", "reversal", "posting")
_REVERSAL = Reversal()
_INQUIRY = Inquiry()


def read_command(value: bytes, deadline_ms: int) -> Command:
    """Turn a record into a command; raises CommandBroken."""
    try:
        record = LedgerCommand.FromString(value)
        ref = record.reference
        if len(ref.key) != KEY_BYTES and record.WhichOneof("body") in _KEYED:
            raise CommandBroken("a command that is stored needs a key")
        return Command(
            Reference(
                ref.key, ref.key_day, ref.card_token, ref.processing_code, ref.amount_minor,
                ref.outlet, ref.terminal, ref.stan, ref.rrn_sent,
            ),
            record.wallet,
            record.card,
            tuple(record.accounts),
            Outcome.of(record.verdict) if record.verdict else None,
            Outcome.of(record.refuse_new) if record.refuse_new else None,
            record.is_repeat,
            deadline_ms,
            _body(record),
        )  # fmt: skip
    except (ValueError, KeyError, DecodeError) as error:
        message = f"not a command of the ledger ({type(error).__name__})"
        raise CommandBroken(message) from None


def _body(record: LedgerCommand) -> Body:
    kind = record.WhichOneof("body")
    if kind == "purchase":
        body = record.purchase
        limits = body.limits
        return Purchase(
            tuple(
                [Line(row.goods_class, row.amount_minor, tuple(row.purses)) for row in body.lines]
            ),
            body.credit,
            Limits(
                limits.day_amount_minor, limits.day_count,
                limits.month_amount_minor, limits.month_count,
            ),
        )  # fmt: skip
    if kind == "reversal":
        return _REVERSAL
    if kind == "inquiry":
        return _INQUIRY
    if kind == "posting":
        return Posting(
            TransferKind(record.posting.kind),
            tuple(
                PostingLeg(leg.debit, leg.credit, leg.amount_minor) for leg in record.posting.legs
            ),
        )
    if kind == "resend":
        return Resend(record.resend.first_batch_no, record.resend.last_batch_no)
    if kind == "open_accounts":
        return _openings(record.open_accounts)
    if kind == "movements":
        return _movements(record)
    raise CommandBroken("a command without a body")


def _movements(record: LedgerCommand) -> MovementsAsked:
    if not 0 < record.wallet <= WALLET_MAX:
        raise CommandBroken("movements of no wallet")
    asked = record.movements
    return MovementsAsked(asked.first_day, asked.last_day, asked.after, asked.rows_max)


def _openings(record: wire.OpenAccounts) -> OpenPurses:
    accounts = tuple(
        AccountTerms(one.number, one.ceiling_minor or None, one.valid_until or None, one.programme)
        for one in record.accounts
    )
    if not all(map(is_purse, accounts)):
        raise CommandBroken("an account to open that is no purse")
    return OpenPurses(accounts)


def write_answer(answer: Answer) -> bytes:
    """Turn an answer into its record."""
    return LedgerAnswer(
        outcome=answer.outcome.number,
        key=answer.key,
        transfer=answer.transfer,
        rrn=answer.rrn,
        approval_code=answer.approval_code,
        balances=_purse_amounts(answer.balances),
        paid=_purse_amounts(answer.paid),
        is_replay=answer.is_replay,
        booked_on=answer.booked_on,
    ).SerializeToString()


def write_movements(wallet: int, page: Movements, correlation_id: bytes) -> bytes:
    """Turn a page of a wallet's movements into its record."""
    return wire.WalletMovements(
        wallet=wallet,
        opening=_purse_amounts(page.opening),
        closing=_purse_amounts(page.closing),
        movements=[_entry(row) for row in page.rows],
        has_more=page.has_more,
        correlation_id=correlation_id,
    ).SerializeToString()


def write_entries(batch: Batch, rows: Sequence[Transfer]) -> bytes:
    """Pack all that one batch stored in one partition."""
    head = batch.head
    return LedgerEntries(
        incarnation=head.incarnation,
        partition=head.partition,
        batch_no=head.no,
        previous_hash=batch.previous_hash,
        hash=batch.hash,
        at_ms=head.at_ms,
        transfers=[_entry(row) for row in rows],
        epoch=head.epoch,
        source_offset=head.source_offset,
    ).SerializeToString()


def entries_record(batch: Batch, rows: Sequence[Transfer]) -> Outgoing:
    """Return the one record that carries a batch's entries, on its partition."""
    envelope = first_envelope(
        schema=topics.LEDGER_ENTRIES, answer_topic="", answer_partition=0, deadline_ms=0
    )
    return Outgoing(
        topics.ENTRIES,
        batch.head.partition,
        batch.head.partition.to_bytes(4, "big"),
        write_entries(batch, rows),
        envelope.SerializeToString(),
    )


def _purse_amounts(amounts: Sequence[PurseAmount]) -> list[wire.PurseAmount]:
    return [
        wire.PurseAmount(account=account, programme=programme, amount_minor=amount)
        for account, programme, amount in amounts
    ]


def _entry(row: Transfer) -> wire.Transfer:
    return wire.Transfer(
        id=row.id, key_day=row.key_day, key=row.key, leg=row.leg, kind=row.kind,
        outcome=row.outcome, debit=row.debit, credit=row.credit, amount_minor=row.amount,
        debit_after=row.debit_after, credit_after=row.credit_after, debit_seq=row.debit_seq,
        ref=row.ref, booked_on=row.booked_on, asked_minor=row.asked, wallet=row.wallet,
        card=row.card, card_token=row.card_token, processing_code=row.processing_code,
        goods_class=row.goods_class, outlet=row.outlet, terminal=row.terminal, stan=row.stan,
        rrn_sent=row.rrn_sent, flags=row.flags,
    )  # fmt: skip
