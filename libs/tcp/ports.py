"""Choose TCP ports of 127.0.0.1; nothing is opened here."""

import errno
import random
import socket
from collections.abc import Iterator
from typing import Final

from libs.outcome import Fault

__all__ = ["NoPort", "free_port", "free_ports", "is_free"]

_LOWEST: Final = 20_000
_LOWEST_EPHEMERAL: Final = 32_768
_TRIES: Final = 1_000


class NoPort(Fault):
    """No TCP port is to be had."""


def free_port() -> int:
    """Return a port on which nobody listens; raises NoPort."""
    return next(free_ports())


def free_ports() -> Iterator[int]:
    """Yield ports on which nobody listens, no two alike; raises NoPort.

    They lie below those that the kernel gives to outgoing connections: any client could be given
    one of those at any moment, and one that calls a dead server again and again the very port that
    it calls.
    """
    draw = random.SystemRandom()
    given = set[int]()
    for _ in range(_TRIES):
        port = draw.randrange(_LOWEST, _LOWEST_EPHEMERAL)
        if port not in given and is_free(port):
            given.add(port)
            yield port
    raise NoPort("No TCP port is to be had on this machine; end what holds them.")


def is_free(port: int) -> bool:
    """Tell whether nobody listens there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True
