"""What readers and publishers hear when a real broker dies, stands still, or loses what it had."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from libs.bus import (
    BusUnavailable,
    LogGap,
    LogReplaced,
    LogTailLost,
    Reader,
    SendUnknown,
    TopicSettings,
)
from libs.bus.kafka.admin import apply_topics
from libs.bus.kafka.bus import KafkaBus
from libs.bus.kafka.local_broker import LocalBroker
from libs.bus.kafka.settings import KafkaLimits
from libs.outcome import Fault
from tests.contract.libs.bus.harness import a_record, a_topic, take_texts
from tests.contract.libs.bus.kafka_harness import OwnBrokerHarness

IMPATIENT = KafkaLimits(
    watch_ms=200,
    ask_ms=1_000,
    fresh_ms=800,
    request_ms=2_000,
    stuck_ms=3_000,
    session_ms=6_000,
    heartbeat_ms=300,
    proof_ms=600,
    close_ms=1_000,
)
WITHIN_SECONDS = 30
TWO = TopicSettings(partitions=2)


class Patient:
    """A broker of its own, a bus, and readers that try as loops do."""

    def __init__(self, broker: LocalBroker, limits: KafkaLimits = IMPATIENT) -> None:
        self.broker = broker
        self.harness = OwnBrokerHarness(broker, limits=limits)
        self.topic = a_topic()

    @property
    def bus(self) -> KafkaBus:
        """The bus, which lives through everything."""
        assert self.harness.bus is not None
        return self.harness.bus

    async def publish(self, *texts: str, partition: int = 0) -> list[str]:
        """Publish as a loop does, again and again; return the faults that were heard."""
        heard = []
        records = [a_record(self.topic, partition, text) for text in texts]
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                try:
                    await self.bus.publish(records, timeout_ms=1_000)
                except (BusUnavailable, SendUnknown) as fault:
                    heard.append(type(fault).__name__)
                    await asyncio.sleep(0.05)
                else:
                    return heard

    async def take(self, reader: Reader, text: str) -> list[str]:
        """Take as a loop does until a text comes; return all texts, with faults in between."""
        heard: list[str] = []
        async with asyncio.timeout(WITHIN_SECONDS):
            while text not in heard:
                try:
                    batch = await reader.take(wait_ms=200, records_max=100)
                except BusUnavailable:
                    heard.append("away")
                else:
                    heard += [r.value.decode() for records in batch.values() for r in records]
        return heard

    async def problem(self, reader: Reader) -> str:
        """Take once; return what a loop would report."""
        try:
            assert {} == await reader.take(wait_ms=100, records_max=1)
        except BusUnavailable as fault:
            return str(fault)
        return ""

    async def fault(self, reader: Reader) -> Fault:
        """Take until a fault ends it."""
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                try:
                    await reader.take(wait_ms=200, records_max=100)
                except BusUnavailable:
                    continue
                except Fault as fault:
                    return fault

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Let the broker answer nothing for the block."""
        os.kill(self.broker.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.broker.pid, signal.SIGCONT)


@pytest.fixture
async def patient(own_broker: LocalBroker) -> AsyncIterator[Patient]:
    patient = Patient(own_broker)
    await patient.harness.open({patient.topic: TWO})
    yield patient
    await patient.harness.close()


async def test_goes_on_with_the_broker_that_comes_back(patient: Patient) -> None:
    """After a kill all readers go on where they were, in order; publishers hear no more then."""
    group = await patient.bus.open_group_reader(patient.topic, group="g")
    plain = await patient.bus.open_reader(patient.topic, starts={0: None})
    tail = await patient.bus.open_tail_reader(patient.topic, partition=0)
    await patient.publish("a")
    for reader in (group, plain, tail):
        assert ["a"] == await take_texts(reader, 1)
    group.acknowledge({0: 0})

    await patient.broker.kill()
    with pytest.raises(BusUnavailable):
        await plain.take(wait_ms=1_000, records_max=1)
    for _ in range(3):
        with pytest.raises(BusUnavailable):  # And not SendUnknown: nothing was sent.
            await patient.bus.publish([a_record(patient.topic, 0, "never")], timeout_ms=200)
    await patient.broker.start()
    await patient.publish("b")

    for reader in (group, plain, tail):
        heard = [text for text in await patient.take(reader, "b") if text != "away"]
        assert "b" == heard[0]
        assert {"b"} == set(heard)
    assert [] == await patient.publish("c")


async def test_starts_over_on_an_empty_broker(patient: Patient) -> None:
    """Old positions are worth nothing there: a group begins at the start, a plain reader ends."""
    group = await patient.bus.open_group_reader(patient.topic, group="g", member="host-1")
    plain = await patient.bus.open_reader(patient.topic, starts={0: None})
    tail = await patient.bus.open_tail_reader(patient.topic, partition=0)
    before = await patient.bus.topic(patient.topic)
    await patient.publish("old 1", "old 2", "old 3")
    for reader in (group, plain, tail):
        await take_texts(reader, 3)
    group.acknowledge({0: 2})

    await patient.harness.forget()
    await patient.publish("n0")
    await patient.publish("n1", "n2", "n3", "n4")

    assert isinstance(await patient.fault(plain), LogReplaced)
    for reader in (group, tail):
        heard = [text for text in await patient.take(reader, "n4") if text != "away"]
        # In doubt the publisher sent again: what it sent twice may stand there twice.
        assert list(dict.fromkeys(heard)) == ["n0", "n1", "n2", "n3", "n4"]
    assert before.id != (await patient.bus.topic(patient.topic)).id
    assert patient.bus.producers_replaced == 1  # Its id is somebody else's there.
    again = await patient.bus.open_reader(patient.topic, starts={0: None})
    assert ["n0", "n1", "n2", "n3", "n4"] == list(dict.fromkeys(await patient.take(again, "n4")))


async def test_waits_for_a_topic_that_is_gone(patient: Patient) -> None:
    """On a new broker a topic that we knew is missing until it is made: a wait, not a refusal."""
    # Named: whoever joined the empty broker without the topic was given nothing of it.
    reader = await patient.bus.open_group_reader(patient.topic, group="g", member="host-1")
    await patient.publish("old")
    await take_texts(reader, 1)

    await patient.broker.begin_again()
    gone: set[str] = set()
    async with asyncio.timeout(WITHIN_SECONDS):
        while "topics apply" not in str(gone):
            try:
                await patient.bus.publish([a_record(patient.topic, 0, "x")], timeout_ms=500)
            except (BusUnavailable, SendUnknown) as fault:
                gone.add(str(fault))
    async with asyncio.timeout(WITHIN_SECONDS):
        while "topics apply" not in (await patient.problem(reader)):
            pass
    await apply_topics(patient.harness.settings, {patient.topic: TWO})
    await patient.publish("new")

    assert "new" in await patient.take(reader, "new")


async def test_says_when_the_broker_stands_still(patient: Patient) -> None:
    """Silence is not the end of the log: readers and publishers hear of it, and go on after it."""
    reader = await patient.bus.open_reader(patient.topic, starts={0: None})
    await patient.publish("a")
    await take_texts(reader, 1)
    assert {} == await reader.take(wait_ms=50, records_max=1)

    with patient.standing_still():
        async with asyncio.timeout(WITHIN_SECONDS):
            while not await patient.problem(reader):  # What was on its way may prove one take.
                pass
        with pytest.raises(BusUnavailable):
            await patient.bus.topic(patient.topic)
        with pytest.raises((SendUnknown, BusUnavailable)):
            await patient.bus.publish([a_record(patient.topic, 0, "b")], timeout_ms=300)
    await patient.publish("c")

    assert "c" in await patient.take(reader, "c")


async def test_replaces_a_producer_that_is_stuck(own_broker: LocalBroker) -> None:
    """Without any success for long the producer is replaced; sends work once the broker does."""
    # So patient that the silence of the broker is not seen, only that of the producer.
    patient = Patient(own_broker, replace(IMPATIENT, fresh_ms=60_000, ask_ms=60_000))
    await patient.harness.open({patient.topic: TWO})
    await patient.publish("a")

    with patient.standing_still():
        faults = set()
        async with asyncio.timeout(WITHIN_SECONDS):
            while not patient.bus.producers_replaced:
                try:
                    await patient.bus.publish([a_record(patient.topic, 0, "b")], timeout_ms=500)
                except (SendUnknown, BusUnavailable) as fault:
                    faults.add(type(fault))
    await patient.publish("c")

    assert SendUnknown in faults
    reader = await patient.bus.open_reader(patient.topic, starts={0: None})
    heard = await patient.take(reader, "c")
    assert "a" == heard[0]
    assert "c" == heard[-1]
    await patient.harness.close()


async def test_names_what_retention_took(patient: Patient) -> None:
    """A position before the start of the log is a gap, for a group as for a plain reader."""
    group = await patient.bus.open_group_reader(patient.topic, group="g")
    await patient.publish(*"abcdef")
    await take_texts(group, 6)
    group.acknowledge({0: 1})
    await group.close()
    await patient.harness.drop_before(patient.topic, 0, 5)

    plain = await patient.bus.open_reader(patient.topic, starts={0: 3})
    group = await patient.bus.open_group_reader(patient.topic, group="g")

    for reader, first in ((plain, 3), (group, 2)):
        for _ in range(2):
            with pytest.raises(LogGap) as caught:
                await reader.take(wait_ms=10_000, records_max=1)
            gap = caught.value
            assert not isinstance(gap, LogTailLost)
            assert (0, first, 4) == (gap.partition, gap.first, gap.last)


async def test_names_a_tail_that_was_lost(patient: Patient) -> None:
    """The same log, shorter than it was: plain readers name it, a group goes on."""
    group = await patient.bus.open_group_reader(patient.topic, group="g", member="host-1")
    await patient.publish("a", "b", partition=1)
    await take_texts(group, 2)
    group.acknowledge({1: 1})
    await group.close()
    before = await patient.bus.topic(patient.topic)

    await patient.broker.kill()
    for file in (patient.broker.data_directory / f"{patient.topic}-1").glob("0*"):
        file.unlink()
    await patient.broker.start()
    plain = await patient.bus.open_reader(patient.topic, starts={0: None, 1: 2})
    fault = await patient.fault(plain)
    group = await patient.bus.open_group_reader(patient.topic, group="g", member="host-1")
    await patient.publish("c", partition=1)
    heard = await patient.take(group, "c")

    assert isinstance(fault, LogTailLost)
    assert {1: 0} == fault.ends
    assert (1, 0, 1) == (fault.partition, fault.first, fault.last)
    assert before.id == (await patient.bus.topic(patient.topic)).id
    assert ["c"] == [text for text in heard if text != "away"]


async def test_replaces_a_consumer_that_fetches_no_more(patient: Patient) -> None:
    """Where aiokafka's own loop has died without a word, another consumer goes on in its place."""
    group = await patient.bus.open_group_reader(patient.topic, group="g")
    plain = await patient.bus.open_reader(patient.topic, starts={0: None})
    await patient.publish("a", "b")
    for reader in (group, plain):
        await take_texts(reader, 2)
        reader.acknowledge({0: 0})

    for reader in (group, plain):
        consumer: Any = reader._pump._consumer
        consumer._fetcher._fetch_task.cancel()
    await patient.publish("c")

    assert ["c"] == [text for text in await patient.take(plain, "c") if text != "away"]
    heard = [text for text in await patient.take(group, "c") if text != "away"]
    assert heard in (["b", "c"], ["c"])  # What aiokafka had fetched by then may come once more.
