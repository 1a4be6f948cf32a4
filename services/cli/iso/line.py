"""One TCP connection of a terminal: a message out, its answer back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from libs.iso8583 import Codec, Dialect, FrameReader, Message, request_frame
from libs.outcome import Fault

READ_BYTES = 4_096


class NoTerminalPort(Fault):
    """Nobody listens where the message should go."""

    retriable = True


class Silence(Fault):
    """No answer came in time."""

    retriable = True


class Line:
    """An open connection; one question at a time."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dialect: Dialect
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._frames = FrameReader(dialect.transport.frame)
        self._codec = Codec(dialect, reads_answers=True)

    async def ask(self, tpdu: bytes, message: bytes, *, timeout_ms: int) -> Message:
        """Send a message and return the next one that comes; raises Silence."""
        self._writer.write(request_frame(tpdu, message))
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                await self._writer.drain()
                return self._codec.decode(await self._next_message())
        except TimeoutError as late:
            text = (
                f"No answer within {timeout_ms / 1000:g} s. In doubt the switch is silent; "
                "a terminal would now send a reversal of this number (lesko iso send reversal)."
            )
            raise Silence(text) from late
        except ConnectionError as gone:
            raise _closed() from gone

    async def _next_message(self) -> bytes:
        while True:
            data = await self._reader.read(READ_BYTES)
            if not data:
                raise _closed()
            for frame in self._frames.feed(data):
                return frame.message


def _closed() -> Silence:
    return Silence(
        "The switch closed the connection without an answer; its log names the reason "
        "(a broken frame, or a message that has no terminal or no number)."
    )


@asynccontextmanager
async def open_line(host: str, port: int, dialect: Dialect) -> AsyncIterator[Line]:
    """Connect; raises NoTerminalPort."""
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as problem:
        text = (
            f"No terminal port answers at {host}:{port}. Is the switch running (lesko run), "
            "and is this its port (LESKO_ISO_BRIDGE__PORT, or --host and --port)?"
        )
        raise NoTerminalPort(text) from problem
    try:
        yield Line(reader, writer, dialect)
    finally:
        writer.close()
