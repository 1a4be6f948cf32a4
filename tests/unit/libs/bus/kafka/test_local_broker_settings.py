"""What a broker of our own is told, and the ports that are chosen for it."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.bus.kafka.local_broker import LocalBrokerFault
from libs.bus.kafka.local_broker_settings import Ports, choose_ports, write_settings
from libs.tcp import is_free


@pytest.fixture
def taken() -> Iterator[int]:
    """Give a port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


class TestChoosePorts:
    def test_stays_below_those_of_outgoing_connections(self) -> None:
        """A client that calls a dead broker must not be given the broker's own port."""
        chosen = {port for _ in range(50) for port in choose_ports(None)}

        assert len(chosen) > 50
        assert all(20_000 <= port < 32_768 for port in chosen)

    def test_gives_two_different_ones(self) -> None:
        """Also when the asked one would have been drawn."""
        for port in range(20_000, 20_050):
            if is_free(port):
                ports = choose_ports(None, broker=port)
                assert port == ports.broker != ports.controller

    def test_keeps_those_from_before(self) -> None:
        """Clients find a broker again after the next start."""
        kept = choose_ports(None)

        assert kept == choose_ports(kept)

    def test_leaves_one_that_is_taken(self, taken: int) -> None:
        """Somebody else may have come meanwhile."""
        kept = Ports(taken, choose_ports(None).controller)

        assert taken not in choose_ports(kept)

    def test_refuses_an_asked_one_that_is_taken(self, taken: int) -> None:
        """The sentence names it."""
        with pytest.raises(LocalBrokerFault, match=f"{taken}.*is taken"):
            choose_ports(None, broker=taken)


def test_writes_no_path_of_this_machine(tmp_path: Path) -> None:
    """Java's properties know no comma and few letters: a directory may have any name."""
    root = tmp_path / "with, comma and é"
    root.mkdir()

    write_settings(root, Ports(20_001, 20_002))

    for path in root.iterdir():
        assert str(tmp_path) not in path.read_text(encoding="ascii")
