"""Finds a consumer that brings nothing although the cluster answers; it ends nothing itself."""

import asyncio

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from libs.bus.kafka.source import Stamps
from libs.clock import Clock


class StallGuard:
    """Remembers since when each partition has not moved.

    A partition moves when a fetch of it was answered, and, as long as its log is longer than what
    was read, when its position goes on. It need not move while the cluster is not well.
    """

    def __init__(self, clock: Clock, *, stuck_ms: int) -> None:
        self._clock = clock
        self._stuck_ms = stuck_ms
        self._seen: dict[TopicPartition, tuple[object, int]] = {}

    def reset(self) -> None:
        """Forget everything: the consumer is new."""
        self._seen.clear()

    async def is_stuck(self, consumer: AIOKafkaConsumer, stamps: Stamps, *, is_well: bool) -> bool:
        """Look; tell whether some partition has not moved for too long."""
        if not is_well:
            self._seen.clear()
            return False
        now_ms = self._clock.monotonic_ms()
        seen, self._seen = self._seen, {}
        for place, stamp in stamps.items():
            mark: object = stamp
            if stamp is not None:
                position = await _position(consumer, place)
                is_behind = position is not None and (consumer.highwater(place) or 0) > position
                mark = ("behind", position) if is_behind else stamp
            before, since_ms = seen.get(place, (None, now_ms))
            if before != mark:
                since_ms = now_ms
            self._seen[place] = (mark, since_ms)
            if now_ms - since_ms >= self._stuck_ms:
                return True
        return False


async def _position(consumer: AIOKafkaConsumer, place: TopicPartition) -> int | None:
    """Return the position; None while there is none."""
    try:
        async with asyncio.timeout(0):
            return int(await consumer.position(place))
    except (KafkaError, TimeoutError):
        return None
