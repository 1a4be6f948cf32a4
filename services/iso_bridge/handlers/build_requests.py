"""What leaves the edge of one money message; DE35, DE52, DE55 and the frame do not."""

from typing import Final, NamedTuple

from libs.bus.port import Outgoing
from libs.contracts.envelope import first_envelope
from libs.contracts.keys import request_partition
from libs.contracts.lesko.v1.authorization_pb2 import AuthorizeRequested, GoodsLine, Reference
from libs.contracts.topics import AUTHORIZE_REQUESTED, BRIDGE_ANSWERS, REQUESTS
from libs.iso8583 import Form, Message
from libs.money import IDR
from libs.outcome import Outcome
from services.iso_bridge.domain.content import Content
from services.iso_bridge.domain.operation import MoneyOperation

_PIN_BLOCK: Final = 52


class Question(NamedTuple):
    """A money message, understood and ready to go on."""

    operation: MoneyOperation
    message: Message
    form: Form
    content: Content
    key: bytes  # Empty for an inquiry.
    key_day: int  # Days since 1970-01-01; 0 for an inquiry.
    refuse_new: Outcome | None
    listener: str
    received_ms: int  # Unix ms.
    deadline_ms: int  # Unix ms; 0: none.


class RequestBuilder:
    """Builds records for one instance of the edge, which waits on its own answer partition."""

    def __init__(self, *, answer_partition: int, request_partitions: int) -> None:
        self._answer_partition = answer_partition
        self._request_partitions = request_partitions

    def build(self, question: Question) -> tuple[bytes, Outgoing]:
        """Return a new correlation id and the record that carries it."""
        envelope = first_envelope(
            schema=AUTHORIZE_REQUESTED,
            answer_topic=BRIDGE_ANSWERS,
            answer_partition=self._answer_partition,
            deadline_ms=question.deadline_ms,
        )
        token = question.content.card_token
        return envelope.correlation_id, Outgoing(
            REQUESTS,
            request_partition(token, self._request_partitions),
            token,
            _record(question).SerializeToString(),
            envelope.SerializeToString(),
        )


def _record(question: Question) -> AuthorizeRequested:
    message, goods = question.message, question.form.goods
    fields = message.fields
    asked = AuthorizeRequested(
        operation=question.operation.number,
        reference=_reference(question),
        expiry=str(fields.get(14, "")),
        entry_mode=int(str(fields.get(22, "0"))),
        pin_present=_PIN_BLOCK in fields,
        is_repeat=message.mti[3] in "13",
        local_time=str(fields.get(12, "")),
    )
    if goods:
        asked.goods.extend(
            [GoodsLine(goods_class=number, amount_minor=minor) for number, minor in goods]
        )
    if question.refuse_new is not None:
        asked.refuse_new = question.refuse_new.number
    return asked


def _reference(question: Question) -> Reference:
    """Return the key and the content that a repeat must carry again."""
    fields, content = question.message.fields, question.content
    return Reference(
        key=question.key,
        key_day=question.key_day,
        card_token=content.card_token,
        processing_code=int(content.processing_code),
        amount_minor=content.amount_minor,
        currency=IDR,  # Anything else was refused with 12.
        outlet=content.outlet,
        terminal=str(fields[41]),
        stan=int(str(fields[11])),
        rrn_sent=content.rrn_sent,
        listener=question.listener,
        received_ms=question.received_ms,
    )
