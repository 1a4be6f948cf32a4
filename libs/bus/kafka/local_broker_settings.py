"""What a broker of our own is told: two files in its directory and the ports that it listens on."""

from pathlib import Path
from typing import Final, NamedTuple

from libs.bus.kafka.local_broker_trouble import LocalBrokerFault
from libs.tcp import free_ports, is_free

__all__ = ["Ports", "choose_ports", "server_settings", "write_settings"]

_LOWEST_PORT: Final = 20_000
_LOWEST_EPHEMERAL: Final = 32_768
_TRIES: Final = 200
# Warnings only, and the one line by which its start is known.
_LOGGING: Final = """\
status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %c{1} %m%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
logger.started.name=kafka.server.KafkaRaftServer
logger.started.level=info
"""


class Ports(NamedTuple):
    """Where it listens on 127.0.0.1."""

    broker: int
    controller: int


def server_settings(
    ports: Ports, *, listen: str = "127.0.0.1", data: str = "data"
) -> dict[str, str]:
    """Return the broker's settings: one node that is its own controller, known as 127.0.0.1.

    The path is relative to its working directory: properties of Java know no commas, and no letters
    beyond Latin-1.
    """
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{ports.controller}",
        "listeners": f"PLAINTEXT://{listen}:{ports.broker},CONTROLLER://127.0.0.1:{ports.controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{ports.broker}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data,
        "auto.create.topics.enable": "false",
        # Few partitions of the inner topics: a coordinator is there sooner.
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        # A short session: one that was killed may register again soon.
        "broker.heartbeat.interval.ms": "400",
        "broker.session.timeout.ms": "2000",
    }


def write_settings(root: Path, ports: Ports) -> None:
    """Write server.properties and log4j2.properties."""
    lines = [f"{name}={value}\n" for name, value in server_settings(ports).items()]
    (root / "server.properties").write_text("".join(lines))
    (root / "log4j2.properties").write_text(_LOGGING)


def choose_ports(kept: Ports | None, *, broker: int | None = None) -> Ports:
    """Return two free ports: those kept from before where they can be, the asked one always.

    Raises LocalBrokerFault and NoPort.
    """
    if broker is not None and not is_free(broker):
        raise LocalBrokerFault(f"TCP port {broker}, asked for Kafka, is taken.")
    if kept and broker in (None, kept.broker) and all(map(is_free, kept)):
        return kept
    free = free_ports()
    first = next(free) if broker is None else broker
    return Ports(first, next(port for port in free if port != first))
