"""Ports for servers of our own."""

import socket
from itertools import islice

from libs.tcp import free_port, free_ports, is_free


class TestFreePorts:
    def test_stay_below_those_of_outgoing_connections(self) -> None:
        """A client that calls a dead server must not be given the server's own port."""
        chosen = list(islice(free_ports(), 100))

        assert 100 == len(set(chosen))
        assert all(20_000 <= port < 32_768 for port in chosen)


class TestIsFree:
    def test_knows_who_listens(self) -> None:
        """A port is free before and after its server, not meanwhile."""
        port = free_port()
        with socket.create_server(("127.0.0.1", port)):
            meanwhile = is_free(port)

        assert (False, True) == (meanwhile, is_free(port))
