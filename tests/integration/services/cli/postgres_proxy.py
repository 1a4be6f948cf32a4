"""A door in front of a real PostgreSQL that falls shut at a chosen moment and opens again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

CHUNK_BYTES = 65_536


class PostgresProxy:
    """Hands bytes on both ways; ``cut`` ends every connection and refuses new ones."""

    def __init__(self, dsn: str) -> None:
        self._parts = urlsplit(dsn)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self.messages = 0  # Pieces that clients sent.
        self.messages_max: int | None = None  # Falls shut at this one.
        self.was_cut = asyncio.Event()

    @property
    def dsn(self) -> str:
        """The database behind the door."""
        login = self._parts.netloc.rpartition("@")[0]
        return urlunsplit(self._parts._replace(netloc=f"{login}@127.0.0.1:{self._port}"))

    async def open(self) -> None:
        """Let clients in, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Fall shut."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()
        self.was_cut.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._parts.hostname, self._parts.port
        far_reader, far_writer = await asyncio.open_connection(host, port)
        both = {writer, far_writer}
        self._writers |= both
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hand_on(reader, far_writer, counts=True))
                tasks.create_task(self._hand_on(far_reader, writer, counts=False))
        finally:
            self._writers -= both
            for each in both:
                each.close()

    async def _hand_on(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, counts: bool
    ) -> None:
        with suppress(OSError):
            while piece := await source.read(CHUNK_BYTES):
                if counts:
                    self.messages += 1
                    if self.messages == self.messages_max:
                        self.cut()
                        return
                target.write(piece)
                await target.drain()
        with suppress(OSError, RuntimeError):
            target.close()


@asynccontextmanager
async def a_proxy(dsn: str) -> AsyncIterator[PostgresProxy]:
    """Open a door to a database; it is shut when the block is left."""
    proxy = PostgresProxy(dsn)
    await proxy.open()
    try:
        yield proxy
    finally:
        proxy.cut()
