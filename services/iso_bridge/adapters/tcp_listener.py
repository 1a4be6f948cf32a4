"""One address that terminals dial: accepts sockets, sweeps them, lets go of them."""

import asyncio
import errno
import ssl
from pathlib import Path
from typing import Final, cast

from libs.clock import Clock
from libs.outcome import Fault
from services.iso_bridge.adapters.connection import Connection, Receive, SocketRules
from services.iso_bridge.ports import Journal

_BACKLOG: Final = 1_024
_HANDSHAKE_S: Final = 15  # Two round trips by satellite are 1.2 s; silence holds a place so long.


class ListenerFault(Fault):
    """A listener cannot open; the sentence names address, setting and remedy."""


class TcpListener:
    """Standing and one-shot connections on one port, plain or TLS."""

    def __init__(
        self,
        *,
        rules: SocketRules,
        receive: Receive,
        clock: Clock,
        journal: Journal,
        connections_max: int,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._rules = rules
        self._receive = receive
        self._clock = clock
        self._journal = journal
        self._connections_max = connections_max
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._connections: dict[Connection, None] = {}  # The oldest first.

    def __len__(self) -> int:
        return len(self._connections)

    async def open(self, host: str, port: int, *, setting: str) -> int:
        """Accept from now on and return the port (0: any free one); raises ListenerFault."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                self._connect,
                host,
                port,
                ssl=self._tls,
                backlog=_BACKLOG,
                ssl_handshake_timeout=_HANDSHAKE_S if self._tls is not None else None,
            )
        except OSError as error:
            raise ListenerFault(_sentence(error, host, port, setting)) from None
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    def sweep(self, now_ms: int) -> None:
        """Close sockets whose patience has run out (monotonic ms)."""
        for connection in list(self._connections):
            connection.check(now_ms)

    def stop_accepting(self) -> None:
        """Take neither new sockets nor new messages; answers still go out."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.stop_reading()

    def close(self) -> None:
        """Write what is due and close every socket."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()

    def _connect(self) -> asyncio.Protocol:
        if len(self._connections) >= self._connections_max and not self._make_room():
            self._journal.closed("too_many_connections")
            return _Refused()
        connection = Connection(
            self._rules,
            self._receive,
            clock=self._clock,
            journal=self._journal,
            closed=self._forget,
        )
        self._connections[connection] = None
        return connection

    def _make_room(self) -> bool:
        """Part with the oldest socket that never said anything: silence shuts nobody out."""
        for connection in self._connections:
            if connection.is_open and not connection.has_spoken:
                del self._connections[connection]
                connection.refuse("made_room")
                return True
        return False

    def _forget(self, connection: Connection) -> None:
        self._connections.pop(connection, None)


class _Refused(asyncio.Protocol):
    """Hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hang up."""
        cast("asyncio.Transport", transport).abort()  # uvloop's own is no instance of it.


def server_tls(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return what a TLS port needs; raises ListenerFault that names the file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise ListenerFault(
            f"TLS certificate {certificate} with key {key} cannot be used"
            f" ({type(error).__name__}); check that both files are PEM and belong together"
        ) from None
    return context


def _sentence(error: OSError, host: str, port: int, setting: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use; stop what uses it or set {setting}"
    if error.errno == errno.EACCES:
        return f"port {port} on {host} may not be opened by this user; set {setting}"
    return f"cannot listen on {host} port {port} (error {error.errno}); set {setting}"
