"""A real broker's stamps show a clock that is wrong by minutes, and accept one that is right."""

import pytest

from libs.bus import TopicSettings
from libs.bus.kafka.admin import apply_topics
from libs.bus.kafka.bus import KafkaBus
from libs.bus.kafka.settings import KafkaSettings
from libs.clock import SystemClock
from tests.contract.libs.bus.harness import SEND_MS, a_record, a_topic

TEN_MINUTES_MS = 600_000
TOLERANCE_MS = 1_000


class WrongClock(SystemClock):
    """The machine's clock as it would be had somebody set it wrong."""

    def __init__(self, ahead_ms: int) -> None:
        self._ahead_ms = ahead_ms

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC, and as many more as told."""
        return super().now_ms() + self._ahead_ms


@pytest.mark.parametrize("ahead_ms", [0, TEN_MINUTES_MS, -TEN_MINUTES_MS])
async def test_shows_how_far_a_clock_is_off(kafka_broker: str, ahead_ms: int) -> None:
    """The difference is known after one send, to within what a send takes."""
    settings, topic = KafkaSettings(bootstrap=kafka_broker), a_topic()
    await apply_topics(settings, {topic: TopicSettings(partitions=1)})
    bus = KafkaBus(settings, WrongClock(ahead_ms), client="test")
    await bus.start()
    try:
        await bus.publish([a_record(topic, 0, "now")], timeout_ms=SEND_MS)

        assert abs(ahead_ms - bus.clock_skew_ms) <= TOLERANCE_MS
    finally:
        await bus.stop()
