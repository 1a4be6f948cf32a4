"""Make and read the one packed header of a record."""

from os import urandom

from libs.contracts.lesko.v1.envelope_pb2 import Envelope

__all__ = ["Envelope", "first_envelope", "next_envelope", "read_envelope"]

ID_BYTES = 16

read_envelope = Envelope.FromString


def first_envelope(
    *, schema: str, answer_topic: str, answer_partition: int, deadline_ms: int
) -> Envelope:
    """Open a conversation: fresh random ids; ``deadline_ms`` in Unix ms, 0 for none."""
    message_id = urandom(ID_BYTES)
    return Envelope(
        message_id=message_id,
        causation_id=message_id,
        correlation_id=urandom(ID_BYTES),
        answer_topic=answer_topic,
        answer_partition=answer_partition,
        deadline_ms=deadline_ms,
        schema=schema,
    )


def next_envelope(cause: Envelope, *, schema: str) -> Envelope:
    """Go on in a conversation: who waits and until when stays, the cause is named."""
    return Envelope(
        message_id=urandom(ID_BYTES),
        causation_id=cause.message_id,
        correlation_id=cause.correlation_id,
        answer_topic=cause.answer_topic,
        answer_partition=cause.answer_partition,
        deadline_ms=cause.deadline_ms,
        trace_parent=cause.trace_parent,
        schema=schema,
    )
