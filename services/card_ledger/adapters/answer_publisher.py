"""Publish what a batch made; an answer whose place does not exist holds nobody up."""

from collections.abc import Sequence

import structlog

from libs.bus import Publisher, TopicUnknown
from libs.bus.port import Outgoing
from libs.contracts import topics


class AnswerPublisher:
    """Drops answers to partitions that are not there; their batch is committed all the same.

    Whoever asked from there hears nothing, as if it had died. Entries are never dropped.
    """

    def __init__(self, bus: Publisher) -> None:
        self._bus = bus
        self._log = structlog.get_logger("card_ledger")

    async def publish(self, records: Sequence[Outgoing], *, timeout_ms: int) -> None:
        """As Bus.publish; raises TopicUnknown only where entries or dead letters cannot go."""
        left = list(records)
        while left:
            try:
                await self._bus.publish(left, timeout_ms=timeout_ms)
            except TopicUnknown as unknown:
                kept = [record for record in left if not _is_answer_to(record, unknown)]
                if len(kept) == len(left):
                    raise
                self._log.error("answers_dropped", count=len(left) - len(kept), why=str(unknown))
                left = kept
            else:
                return


def _is_answer_to(record: Outgoing, unknown: TopicUnknown) -> bool:
    if record.topic.startswith((topics.ENTRIES, topics.COMMANDS)) or record.topic != unknown.topic:
        return False
    return unknown.partition is None or record.partition == unknown.partition
