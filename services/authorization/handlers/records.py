"""Records in, records out: the only place of authorization that knows protocol buffers."""

from collections.abc import Sequence
from typing import Final

from google.protobuf.message import DecodeError

from libs.contracts.keys import KEY_BYTES
from libs.contracts.lesko.v1.authorization_pb2 import (
    OPERATION_INQUIRY,
    OPERATION_PURCHASE,
    OPERATION_REVERSAL,
    AuthorizeRequested,
)
from libs.contracts.lesko.v1.card_ledger_pb2 import (
    LedgerCommand,
    Purchase,
)
from libs.outcome import Fault, Outcome
from libs.registry.entities import Product
from services.authorization.domain.card import Card
from services.authorization.domain.debit import Line

TOKEN_BYTES: Final = 16


class RequestBroken(Fault):
    """A record on the requests topic is none of ours."""


def read_request(value: bytes) -> AuthorizeRequested:
    """Turn a record into a request whose mandatory parts are there; raises RequestBroken."""
    try:
        request = AuthorizeRequested.FromString(value)
    except DecodeError:
        raise RequestBroken("not a request to authorization") from None
    reference = request.reference
    if len(reference.card_token) != TOKEN_BYTES:
        raise RequestBroken("a request without a card token")
    operation = request.operation
    if operation == OPERATION_INQUIRY:
        return request
    if operation not in (OPERATION_PURCHASE, OPERATION_REVERSAL):
        raise RequestBroken("a request for an operation that is not known")
    if len(reference.key) != KEY_BYTES:
        raise RequestBroken("a money request without a key")
    if reference.amount_minor <= 0 and operation == OPERATION_PURCHASE:
        raise RequestBroken("a purchase without an amount")
    return request


def write_command(
    request: AuthorizeRequested,
    card: Card | None,
    accounts: Sequence[int],
    *,
    verdict: Outcome | None = None,
    purchase: Purchase | None = None,
) -> bytes:
    """Turn a request into the ledger's command; without a purchase the operation says what."""
    command = LedgerCommand(
        reference=request.reference,
        accounts=accounts,
        refuse_new=request.refuse_new,
        is_repeat=request.is_repeat,
    )
    if card is not None:
        command.wallet = card.wallet
        command.card = card.card_id
    if verdict is not None:
        command.verdict = verdict.number
    if purchase is not None:
        command.purchase.CopyFrom(purchase)
    elif request.operation == OPERATION_REVERSAL:
        command.reversal.SetInParent()
    elif request.operation == OPERATION_INQUIRY:
        command.inquiry.SetInParent()
    return command.SerializeToString()


def write_purchase(lines: Sequence[Line], credit: int, product: Product) -> Purchase:
    """Turn a debit that may be booked into its part of the command."""
    purchase = Purchase(credit=credit)
    for line in lines:
        purchase.lines.add(
            goods_class=line.goods_class, amount_minor=line.amount, purses=line.purses
        )
    limits = purchase.limits
    limits.day_amount_minor = product.day_amount_minor
    limits.day_count = product.day_count
    limits.month_amount_minor = product.month_amount_minor
    limits.month_count = product.month_count
    return purchase
