"""A Kafka bus that a test can also hurt: a broker that stands still, one that comes back empty."""

import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.structs import TopicPartition

from libs.bus import Bus, TopicSettings
from libs.bus.kafka.admin import apply_topics
from libs.bus.kafka.bus import KafkaBus
from libs.bus.kafka.local_broker import LocalBroker
from libs.bus.kafka.settings import KafkaLimits, KafkaSettings
from libs.clock import SystemClock

QUICK = KafkaLimits(watch_ms=200, session_ms=6_000, heartbeat_ms=500, close_ms=2_000)


class KafkaHarness:
    """Topics of a test on the broker of the run."""

    def __init__(self, bootstrap: str, *, limits: KafkaLimits = QUICK) -> None:
        self.settings = KafkaSettings(bootstrap=bootstrap)
        self._limits = limits
        self._topics: Mapping[str, TopicSettings] = {}
        self.bus: KafkaBus | None = None

    async def open(self, topics: Mapping[str, TopicSettings]) -> KafkaBus:
        """Make the topics and start a bus."""
        self._topics = topics
        await apply_topics(self.settings, topics)
        self.bus = self.make_bus()
        await self.bus.start()
        return self.bus

    def make_bus(self) -> KafkaBus:
        """Return a bus that is not started."""
        return KafkaBus(self.settings, SystemClock(), client="test", limits=self._limits)

    async def forget(self) -> Bus:
        """Only a broker of one's own can be emptied."""
        raise NotImplementedError

    @asynccontextmanager
    async def stall(self, topic: str) -> AsyncIterator[None]:
        """Let the broker stand still."""
        process = _listener(self.settings.hosts()[0][1])
        os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(process, signal.SIGCONT)

    async def drop_before(self, topic: str, partition: int, offset: int) -> None:
        """Let the log of a partition begin here."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.bootstrap)
        await admin.start()
        try:
            place = TopicPartition(topic, partition)
            await admin.delete_records({place: RecordsToDelete(before_offset=offset)})
        finally:
            await admin.close()

    async def close(self) -> None:
        """Stop the bus."""
        if self.bus is not None:
            await self.bus.stop()


class OwnBrokerHarness(KafkaHarness):
    """A broker that belongs to the test, which may take all it has from it."""

    def __init__(self, broker: LocalBroker, *, limits: KafkaLimits = QUICK) -> None:
        super().__init__(broker.bootstrap, limits=limits)
        self._broker = broker

    async def forget(self) -> Bus:
        """Begin with an empty broker at the same address; the bus is the one from before."""
        assert self.bus is not None
        await self._broker.begin_again()
        await apply_topics(self.settings, self._topics)
        await self.bus.topic(next(iter(self._topics)))
        return self.bus


def _listener(port: int) -> int:
    """Return the process that listens on a port of this machine."""
    sockets = {f"socket:[{inode}]" for inode in _listening(port)}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):  # Another user's, or gone meanwhile.
            if str(descriptor.readlink()) in sockets:
                return int(descriptor.parts[2])
    pytest.skip("the broker is not ours: nobody can make it stand still")


def _listening(port: int) -> Iterator[str]:
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]
