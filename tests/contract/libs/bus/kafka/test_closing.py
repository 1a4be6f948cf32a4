"""Everything of aiokafka ends in time and leaves nothing behind, also when no broker answers.

It reaches into what aiokafka keeps for itself: a new version that breaks it shows here.
"""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable

import pytest

from libs.bus import BusUnavailable, SendUnknown, TopicSettings
from libs.bus.kafka.local_broker import LocalBroker
from libs.bus.kafka.settings import KafkaLimits
from tests.contract.libs.bus.harness import SEND_MS, a_record, a_topic
from tests.contract.libs.bus.kafka_harness import KafkaHarness

LIMITS = KafkaLimits(close_ms=500, ask_ms=500, request_ms=20_000, session_ms=10_000, stuck_ms=1)
STOP_SECONDS = 8  # Three readers and a producer, each with several parts of 500 ms.


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for it, for less long than a part that is closed may take."""
    async with asyncio.timeout(2):
        while not is_so():  # noqa: ASYNC110 -- aiokafka tells nobody
            await asyncio.sleep(0.01)


@pytest.fixture
async def nothing_left(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Fail when a task is left, or the event loop or a collected object complains."""
    before = asyncio.all_tasks()
    with caplog.at_level(logging.WARNING, logger="asyncio"):
        yield
        gc.collect()
        await asyncio.sleep(0)
        left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not [str(task) for task in left]
    complaints = [
        record.getMessage()
        for when in ("call", "teardown")
        for record in caplog.get_records(when)
        if record.name == "asyncio" and not record.getMessage().startswith("Executing")  # Is slow.
    ]
    assert not complaints


@pytest.mark.usefixtures("nothing_left")
class TestClosing:
    async def test_leaves_nothing_in_order(self, kafka_broker: str) -> None:
        """A bus that is stopped with readers open has closed all of it."""
        harness, topic = KafkaHarness(kafka_broker, limits=LIMITS), a_topic()
        bus = await harness.open({topic: TopicSettings(partitions=2)})
        await bus.publish([a_record(topic, 0, "a")], timeout_ms=SEND_MS)
        reader = await bus.open_reader(topic, starts={0: None})
        await bus.open_tail_reader(topic, partition=1)
        await bus.open_group_reader(topic, group="g")

        await bus.stop()

        with pytest.raises(BusUnavailable):
            await reader.take(wait_ms=10, records_max=1)
        with pytest.raises(BusUnavailable):
            await bus.publish([a_record(topic, 0, "b")], timeout_ms=SEND_MS)

    @pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
    async def test_leaves_nothing_when_no_broker_answers(
        self, own_broker: LocalBroker, how: signal.Signals
    ) -> None:
        """With sends on their way, fetches unanswered and a member in a group: all ends in time."""
        harness, topic = KafkaHarness(own_broker.bootstrap, limits=LIMITS), a_topic()
        bus = await harness.open({topic: TopicSettings(partitions=2)})
        await bus.publish([a_record(topic, 0, "a")], timeout_ms=SEND_MS)
        await bus.open_reader(topic, starts={0: None})
        await bus.open_tail_reader(topic, partition=1)
        await bus.open_group_reader(topic, group="g")

        os.kill(own_broker.pid, how)
        for _ in range(3):  # The first is stuck, its producer is replaced, and so on.
            with pytest.raises((SendUnknown, BusUnavailable)):
                await bus.publish([a_record(topic, 0, "b" * 100_000)], timeout_ms=100)

        async with asyncio.timeout(STOP_SECONDS):
            await bus.stop()

    async def test_hangs_up_on_what_is_on_its_way(self, own_broker: LocalBroker) -> None:
        """A producer that is replaced gives its lines up at once, long before an ending may take.

        Else it would go on writing there, beside newer sends of the next producer.
        """
        limits = KafkaLimits(close_ms=6_000)
        harness, topic = KafkaHarness(own_broker.bootstrap, limits=limits), a_topic()
        bus = await harness.open({topic: TopicSettings(partitions=1)})
        await bus.publish([a_record(topic, 0, "a")], timeout_ms=SEND_MS)
        live = bus._producer._live
        assert live is not None
        sender, lines = live.kafka._sender, list(live.kafka.client._conns.values())

        os.kill(own_broker.pid, signal.SIGSTOP)
        try:
            sending = asyncio.create_task(bus.publish([a_record(topic, 0, "b")], timeout_ms=60_000))
            await until(lambda: bool(sender._in_flight))
            were_open = all(line.connected() for line in lines)
            bus._producer.replace("test")
            await until(lambda: not any(line.connected() for line in lines))
        finally:
            os.kill(own_broker.pid, signal.SIGCONT)
            with pytest.raises(SendUnknown):
                await sending
            await bus.stop()
        assert lines
        assert were_open

    async def test_leaves_nothing_of_a_send_that_is_tried_again(
        self, own_broker: LocalBroker
    ) -> None:
        """A batch whose broker died before it answered is not sent again after a stop."""
        harness, topic = KafkaHarness(own_broker.bootstrap), a_topic()
        bus = await harness.open({topic: TopicSettings(partitions=1)})
        await bus.publish([a_record(topic, 0, "a")], timeout_ms=SEND_MS)

        os.kill(own_broker.pid, signal.SIGSTOP)
        with pytest.raises(SendUnknown):
            await bus.publish([a_record(topic, 0, "b")], timeout_ms=100)
        await own_broker.kill()
        # Whether the watch has noticed yet that nobody is there decides which of the two.
        with pytest.raises((BusUnavailable, SendUnknown)):
            await bus.publish([a_record(topic, 0, "c")], timeout_ms=300)

        async with asyncio.timeout(STOP_SECONDS):
            await bus.stop()

    async def test_leaves_nothing_where_there_never_was_a_broker(self) -> None:
        """A start that fails has closed what it began, and may be tried again."""
        harness = KafkaHarness("127.0.0.1:1", limits=LIMITS)
        bus = harness.make_bus()

        for _ in range(2):
            with pytest.raises(BusUnavailable, match=r"127\.0\.0\.1:1"):
                await bus.start()
        await bus.stop()
