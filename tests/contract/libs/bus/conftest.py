"""A broker that tests of the bus may hurt, one after the other."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator

import pytest

from libs.bus.kafka.local_broker import LocalBroker, LocalBrokerMissing, start_broker
from tests import kafka
from tests.directories import open_directory


@pytest.fixture(scope="session")
def shared_broker() -> Iterator[LocalBroker]:
    """Give a broker for all these tests: each start of its own would cost seconds."""
    with (
        asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner,
        open_directory(kafka.DIRECTORY_PREFIX) as root,
    ):
        running = start_broker(root, stop_seconds=5)
        try:
            broker = runner.run(running.__aenter__())
        except LocalBrokerMissing as fault:
            pytest.skip(f"no Kafka: {fault}")
        yield broker
        runner.run(running.__aexit__(None, None, None))


@pytest.fixture
async def own_broker(shared_broker: LocalBroker) -> AsyncIterator[LocalBroker]:
    """Give a broker that runs and belongs to the test; topics of other tests may be on it."""
    await shared_broker.start()
    yield shared_broker
    if shared_broker.is_running:
        os.kill(shared_broker.pid, signal.SIGCONT)
