"""Make and read the one packed header of a record."""

from os import urandom

from libs.contracts.lesko.v1.envelope_pb2 import Envelope

__all__ = ["Envelope", "first_envelope", "next_envelope", "read_envelope"]

ID_BYTES = 16

read_envelope = Envelope.FromString


def first_envelope(
    *, schema: str, answer_topic: str, answer_partition: int, deadline_ms: int
) -> Envelope:
    """Open a conversation under fresh random ids; ``deadline_ms`` in Unix ms, 0 for none."""
    drawn = urandom(2 * ID_BYTES)
    message_id = drawn[:ID_BYTES]
    return Envelope(
        message_id=message_id,
        causation_id=message_id,
        correlation_id=drawn[ID_BYTES:],
        answer_topic=answer_topic,
        answer_partition=answer_partition,
        deadline_ms=deadline_ms,
        schema=schema,
    )


def next_envelope(cause: Envelope, *, schema: str) -> Envelope:
    """Go on in a conversation: who waits and until when stays, the cause is named.

    The new record's id is one more than its cause's: a conversation is a chain, not a tree, and a
    redelivered cause makes the same record again. (It also saves a system call for each record,
    which was a twentieth of a purchase.)
    """
    follows = Envelope()
    follows.CopyFrom(cause)
    follows.causation_id = cause.message_id
    follows.message_id = _one_more(cause.message_id)
    follows.schema = schema
    return follows


def _one_more(message_id: bytes) -> bytes:
    return message_id[:-1] + bytes((message_id[-1] + 1 & 0xFF,)) if message_id else b""
