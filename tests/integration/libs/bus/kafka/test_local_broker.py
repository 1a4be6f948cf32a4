"""A broker of our own: started, ended and begun again, and ended with whoever started it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from libs.bus.kafka.admin import apply_topics, check_topics
from libs.bus.kafka.jars import fetch_jars, find_java
from libs.bus.kafka.local_broker import (
    BrokerDirectoryBusy,
    LocalBroker,
    LocalBrokerFault,
    LocalBrokerMissing,
    start_broker,
)
from libs.bus.kafka.settings import KafkaSettings
from libs.bus.topics import TopicSettings
from tests.directories import open_directory
from tests.kafka import DIRECTORY_PREFIX

REPOSITORY = Path(__file__).parents[5]
WAIT_S = 30.0
TOPICS = {"a.b.v1": TopicSettings(partitions=2)}
STARTER = """
import asyncio, sys
from pathlib import Path
from libs.bus.kafka.local_broker import start_broker

async def main():
    async with start_broker(Path(sys.argv[1])) as broker:
        print(broker.pid, broker.bootstrap, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
async def root() -> AsyncIterator[Path]:
    """Give a directory for a broker, where one can be had."""
    try:
        await find_java()
        await fetch_jars()
    except LocalBrokerMissing as fault:
        pytest.skip(f"no Kafka: {fault}")
    with open_directory(DIRECTORY_PREFIX) as directory:
        yield directory


def start_elsewhere(root: Path) -> "tuple[subprocess.Popen[str], int]":
    """Have another process start a broker; return that process and the broker's number."""
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(root)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert starter.stdout is not None
    with starter.stdout as told:
        return starter, int(told.readline().split()[0])


def is_alive(pid: int) -> bool:
    """Tell whether a process is there and no mere entry that waits for its parent."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def is_gone(pid: int) -> bool:
    """Wait until a process has ended."""
    give_up_at = time.monotonic() + WAIT_S
    while is_alive(pid) and time.monotonic() < give_up_at:
        time.sleep(0.02)
    return not is_alive(pid)


def is_there(path: Path) -> bool:
    return path.exists()


@pytest.fixture
def stranger() -> Iterator[int]:
    """Give the number of a process that is no broker."""
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        yield process.pid
        process.kill()


async def has_topic(broker: LocalBroker) -> bool:
    report = await check_topics(KafkaSettings(bootstrap=broker.bootstrap), TOPICS)
    return [state.name for state in report.states] == list(TOPICS)


class TestLocalBroker:
    async def test_keeps_topics_and_address_until_it_begins_again(self, root: Path) -> None:
        """Stopped, killed and frozen it forgets nothing; begun again it is empty, at the place."""
        async with start_broker(root, stop_seconds=5) as broker:
            address, pids = broker.bootstrap, {broker.pid}
            await apply_topics(KafkaSettings(bootstrap=address), TOPICS)

            await broker.restart()
            pids.add(broker.pid)
            assert await has_topic(broker)
            os.kill(broker.pid, signal.SIGSTOP)
            assert not await broker.stop(seconds=0.1)  # Not in order.
            assert not broker.is_running
            await broker.start()
            pids.add(broker.pid)
            assert await has_topic(broker)
            await broker.begin_again()
            pids.add(broker.pid)
            assert not await has_topic(broker)

            assert address == broker.bootstrap
            assert 4 == len(pids)
        assert not any(map(is_alive, pids))

    async def test_ends_with_its_starter(self, root: Path) -> None:
        """When the one that started it is killed, somebody still ends it, in order."""
        starter, pid = start_elsewhere(root)

        starter.kill()
        starter.wait()

        assert is_gone(pid)
        assert is_there(root / "data" / ".kafka_cleanshutdown")

    async def test_ends_one_that_nobody_ended(self, root: Path) -> None:
        """With its starter and its guard both killed it lives, until the next start there."""
        starter, pid = start_elsewhere(root)
        for guard in guards_of(pid):
            os.kill(guard, signal.SIGKILL)
        starter.kill()
        starter.wait()
        said: list[str] = []
        assert is_alive(pid)

        async with start_broker(root, report=said.append, stop_seconds=5) as broker:
            assert not is_alive(pid)
            assert pid != broker.pid
        assert ["A broker that outlived its killed process was ended."] == said

    async def test_has_its_directory_for_itself(self, root: Path, stranger: int) -> None:
        """A second start there does no harm, nor has one whose number stands in a stale file."""
        (root / "broker.pid").write_text(f"{stranger}\n")

        async with start_broker(root, stop_seconds=5) as broker:
            with pytest.raises(BrokerDirectoryBusy, match=str(os.getpid())):
                await start_broker(root).__aenter__()
            assert broker.is_running
        assert is_alive(stranger)

    async def test_refuses_a_port_that_is_taken(self, root: Path) -> None:
        """The asked one, and its own that somebody took while it was down."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            with pytest.raises(LocalBrokerFault, match=f"{port}.*taken"):
                await start_broker(root, port=port).__aenter__()
        async with start_broker(root, stop_seconds=5) as broker:
            await broker.kill()
            with (
                socket.create_server(("127.0.0.1", broker.port)),
                pytest.raises(LocalBrokerFault, match=f"{broker.port}.*taken"),
            ):
                await broker.start()
            assert not broker.is_running
            with pytest.raises(LocalBrokerFault, match="does not run"):
                _ = broker.pid

    async def test_says_why_it_does_not_start(self, root: Path) -> None:
        """What it wrote on its way down becomes a sentence, and nothing is left running."""
        (root / "data").mkdir()
        (root / "data" / "meta.properties").write_text("version=1\nnode.id=7\ncluster.id=x\n")

        with pytest.raises(LocalBrokerFault, match=r"Kafka does not start: .*broker\.log"):
            await start_broker(root).__aenter__()

        assert not (root / "broker.pid").exists()


class TestFixtures:
    async def test_give_a_broker_of_the_run(self, kafka_broker: str) -> None:
        """It answers where it is said to be."""
        report = await check_topics(KafkaSettings(bootstrap=kafka_broker), {})

        assert 1 <= report.brokers

    async def test_give_a_broker_of_ones_own(
        self,
        kafka_broker: str,
        start_own_broker: Callable[[], AbstractAsyncContextManager[LocalBroker]],
    ) -> None:
        """It is another one, and is gone afterwards."""
        async with start_own_broker() as broker:
            assert kafka_broker != broker.bootstrap
            place, pid = broker.root, broker.pid
        assert not is_alive(pid)
        assert not is_there(place)


class TestKeeper:
    """The program that keeps a run's broker."""

    @pytest.fixture
    def keeper(self, root: Path) -> "Iterator[subprocess.Popen[str]]":
        """Start the program; its reader is not inherited by anybody."""
        with subprocess.Popen(
            [sys.executable, "-m", "tests.kafka_keeper"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            yield process
            process.kill()

    def test_ends_its_broker_with_its_input(self, keeper: "subprocess.Popen[str]") -> None:
        """The input ends with whoever holds it, in whatever way; then nothing is left."""
        assert keeper.stdout is not None
        assert keeper.stdin is not None
        bootstrap, what, is_broken = json.loads(keeper.stdout.readline())
        host, port = bootstrap.split(":")
        socket.create_connection((host, int(port)), timeout=WAIT_S).close()

        keeper.stdin.close()

        assert 0 == keeper.wait(WAIT_S)
        assert bootstrap in what
        assert not is_broken
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((host, int(port)), timeout=WAIT_S)


def guards_of(pid: int) -> list[int]:
    """Return the processes that hold a broker's number among their arguments."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if words[0] == b"/bin/sh" and str(pid).encode() in words:
                found.append(int(process.name))
    assert found
    return found
