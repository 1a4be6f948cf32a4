"""Bring up a Kafka for tests: in a container, else from its jars (DESIGN 11).

``python -m tests.kafka_keeper`` tells in one line of JSON where it is, and ends it when the
standard input ends: when whoever started the program is done, or was killed.
"""

import asyncio
import json
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from libs.bus.kafka.local_broker import LocalBrokerFault, LocalBrokerMissing, start_broker
from libs.bus.kafka.local_broker_process import end_left_over
from libs.bus.kafka.local_broker_settings import choose_ports, server_settings
from tests.directories import open_directory, remove_stale
from tests.kafka import DIRECTORY_PREFIX, Kafka

IMAGE = "apache/kafka:4.1.1"
ENGINE_SECONDS = 5


def main() -> None:
    """Bring up what there is, tell of it and keep it until nobody needs it."""
    with ExitStack() as stack:
        bootstrap = _try_container(stack)
        if bootstrap is not None:
            _tell(Kafka(bootstrap, f"a container of {IMAGE} at {bootstrap}"))
            sys.stdin.read()
            return
    remove_stale(DIRECTORY_PREFIX, _end_broker)
    try:
        asyncio.run(_keep_jars())
    except LocalBrokerMissing as fault:
        _tell(Kafka(None, str(fault)))
    except LocalBrokerFault as fault:
        _tell(Kafka(None, str(fault), is_broken=True))


async def _keep_jars() -> None:
    with open_directory(DIRECTORY_PREFIX) as root:
        async with start_broker(root, report=_say, stop_seconds=5) as broker:
            _tell(Kafka(broker.bootstrap, f"from its jars at {broker.bootstrap}"))
            await asyncio.to_thread(sys.stdin.read)


def _end_broker(root: Path) -> None:
    asyncio.run(end_left_over(root))


def _try_container(stack: ExitStack) -> str | None:
    """Return the address of a broker in a container that lasts as long as the stack, or None."""
    try:
        DockerClient(timeout=ENGINE_SECONDS).client.ping()
    except Exception:  # noqa: BLE001 -- without an engine it raises whatever its transport does
        return None
    try:
        return stack.enter_context(_run_container())
    except Exception as problem:  # noqa: BLE001 -- whatever is wrong with a container: there are jars
        _say(f"a container of {IMAGE} does not start ({type(problem).__name__}).")
        return None


@contextmanager
def _run_container() -> Iterator[str]:
    """Run the official image with our own broker's settings; its reaper sees to our death."""
    ports = choose_ports(None)
    settings = server_settings(ports, listen="0.0.0.0", data="/tmp/kafka")
    broker: Any = DockerContainer(IMAGE)
    broker.with_envs(
        **{f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in settings.items()}
    )
    broker.with_bind_ports(ports.broker, ports.broker)
    broker.waiting_for(LogMessageWaitStrategy("Kafka Server started"))
    _say(f"a container of {IMAGE} is started.")
    with broker:
        # An engine on another machine would not be heard here.
        socket.create_connection(("127.0.0.1", ports.broker), ENGINE_SECONDS).close()
        yield f"127.0.0.1:{ports.broker}"


def _tell(kafka: Kafka) -> None:
    sys.stdout.write(f"{json.dumps(kafka)}\n")
    sys.stdout.flush()


def _say(sentence: str) -> None:
    sys.stderr.write(f"Kafka for tests: {sentence}\n")


if __name__ == "__main__":
    main()
