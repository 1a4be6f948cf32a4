"""Ports are looked at before they are needed."""

import socket

import pytest

from services.cli.tcp_ports import PortBusy, need_free_port, port_problem, someone_listens


class TestNeedFreePort:
    def test_refuses_a_port_that_somebody_has(self) -> None:
        """The sentence names the port, its use and the setting that changes it."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]

            with pytest.raises(PortBusy, match=f"Port {port} .*terminals.*LESKO_X__PORT"):
                need_free_port("127.0.0.1", port, what="terminals", setting="LESKO_X__PORT")
            assert someone_listens("127.0.0.1", port)

    def test_takes_a_port_that_is_free_again(self) -> None:
        """A port that was let go is no problem, and nobody answers there."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]

        assert None is port_problem("127.0.0.1", port)
        assert not someone_listens("127.0.0.1", port)
