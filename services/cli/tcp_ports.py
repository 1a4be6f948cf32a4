"""Look at TCP ports before they are needed, so that trouble is one early sentence."""

import socket

from services.cli.faults import CommandRefused


class PortBusy(CommandRefused):
    """Somebody listens there already."""


def need_free_port(host: str, port: int, *, what: str, setting: str) -> None:
    """Raise PortBusy when the port cannot be opened; port 0 is always free."""
    problem = port_problem(host, port)
    if problem is None:
        return
    message = (
        f"Port {port} on {host}, for {what}, cannot be opened: {problem}. "
        f"Stop what uses it, or choose another: {setting}={port + 100}."
    )
    raise PortBusy(message)


def port_problem(host: str, port: int) -> str | None:
    """Return why a port cannot be opened, in lower case; None if it can."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            probe.listen(1)
    except OSError as problem:
        return (problem.strerror or str(problem)).lower()
    return None


def someone_listens(host: str, port: int, *, timeout_s: float = 1.0) -> bool:
    """Say whether a connection is taken there."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False
