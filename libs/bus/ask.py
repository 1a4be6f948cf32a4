"""One question and its answer, for tools; an edge with many of them uses Inbox."""

from typing import NamedTuple

from libs.bus.faults import NoAnswer
from libs.bus.inbox import Inbox
from libs.bus.port import Bus, Outgoing, Record
from libs.clock import Clock
from libs.contracts.envelope import first_envelope


class Question(NamedTuple):
    """What to publish; the envelope is made when it is asked."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    schema: str


async def ask(
    bus: Bus,
    clock: Clock,
    question: Question,
    *,
    answer_topic: str,
    answer_partition: int,
    timeout_ms: int,
) -> Record:
    """Publish a question and return the record that answers it.

    Raises NoAnswer after ``timeout_ms``, and what the bus raises. Other answers on the partition
    are left to whoever waits for them.
    """
    reader = await bus.open_tail_reader(answer_topic, partition=answer_partition)
    try:
        inbox: Inbox[None] = Inbox(reader, clock)
        deadline_ms = clock.monotonic_ms() + timeout_ms
        envelope = first_envelope(
            schema=question.schema,
            answer_topic=answer_topic,
            answer_partition=answer_partition,
            deadline_ms=clock.now_ms() + timeout_ms,
        )
        inbox.expect(envelope.correlation_id, deadline_ms, None)
        outgoing = Outgoing(
            question.topic,
            question.partition,
            question.key,
            question.value,
            envelope.SerializeToString(),
        )
        await bus.publish([outgoing], timeout_ms=timeout_ms)
        while (left_ms := deadline_ms - clock.monotonic_ms()) > 0:
            for _, record in await inbox.take(wait_ms=left_ms):
                return record
        raise NoAnswer(f"no answer to {question.schema} on {question.topic} in {timeout_ms} ms")
    finally:
        await reader.close()
