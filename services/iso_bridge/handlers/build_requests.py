"""What leaves the edge of one money message; DE35, DE52, DE55 and the frame do not."""

from typing import Final

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


class RequestBuilder:
    """Builds records for one instance of the edge, which waits on its own answer partition."""

    def __init__(self, *, answer_partition: int, request_partitions: int) -> None:
        self._answer_partition = answer_partition
        self._request_partitions = request_partitions

    def build(
        self,
        operation: MoneyOperation,
        message: Message,
        form: Form,
        reference: Reference,
        *,
        refuse_new: Outcome | None,
        deadline_ms: int,
    ) -> tuple[bytes, Outgoing]:
        """Return the new correlation id and the record; ``deadline_ms`` in Unix ms, 0 for none."""
        fields = message.fields
        asked = AuthorizeRequested(
            operation=operation.number,
            reference=reference,
            expiry=str(fields.get(14, "")),
            entry_mode=int(str(fields.get(22, "0"))),
            pin_present=_PIN_BLOCK in fields,
            is_repeat=message.mti[3] in "13",
            local_time=str(fields.get(12, "")),
        )
        if form.goods:
            asked.goods.extend(
                [GoodsLine(goods_class=goods, amount_minor=minor) for goods, minor in form.goods]
            )
        if refuse_new is not None:
            asked.refuse_new = refuse_new.number
        envelope = first_envelope(
            schema=AUTHORIZE_REQUESTED,
            answer_topic=BRIDGE_ANSWERS,
            answer_partition=self._answer_partition,
            deadline_ms=deadline_ms,
        )
        token = reference.card_token
        return envelope.correlation_id, Outgoing(
            REQUESTS,
            request_partition(token, self._request_partitions),
            token,
            asked.SerializeToString(),
            envelope.SerializeToString(),
        )


def reference_of(
    message: Message, content: Content, *, key: bytes, key_day: int, listener: str, now_ms: int
) -> Reference:
    """Return the key and the content that a repeat must carry again."""
    fields = message.fields
    return Reference(
        key=key,
        key_day=key_day,
        card_token=content.card_token,
        processing_code=int(content.processing_code),
        amount_minor=content.amount_minor,
        currency=IDR,  # Anything else was refused with 12.
        outlet=content.outlet,
        terminal=str(fields[41]),
        stan=int(str(fields[11])),
        rrn_sent=content.rrn_sent,
        listener=listener,
        received_ms=now_ms,
    )
