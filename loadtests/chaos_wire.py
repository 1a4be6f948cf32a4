"""A terminal's connection to one bridge: dialled when it is needed, lost at any moment."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple

from loadtests.frames import decode_frame, encode_frame

HOST: Final = "127.0.0.1"
DIAL_WITHIN_S: Final = 2.0

Fields = dict[int, str]
Place = tuple[str, str]
"""MTI of an answer, and its STAN."""


class Late(NamedTuple):
    """An answer that nobody waited for any more."""

    mti: str
    fields: Fields


class Wire:
    """One connection to one port; ``late`` hears what is not waited for any more."""

    def __init__(self, port: int, late: Callable[[Late], None]) -> None:
        self._port = port
        self._late = late
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._asked: dict[Place, asyncio.Future[Fields | None]] = {}

    async def ask(self, mti: str, fields: Fields, *, seconds: float) -> Fields | None:
        """Send and wait for the answer; None once the line is lost or the time is over."""
        if not await self._dialled():
            return None
        assert self._writer is not None  # Dialled.
        place = answer_of(mti), fields[11]
        answer: asyncio.Future[Fields | None] = asyncio.get_running_loop().create_future()
        self._asked[place] = answer
        try:
            self._writer.write(encode_frame(mti, fields))
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            return None
        finally:
            if self._asked.get(place) is answer:
                del self._asked[place]

    async def hang_up(self) -> None:
        """Close the connection; it is dialled again when it is needed."""
        if self._writer is not None:
            self._writer.close()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait({self._listening})

    async def _dialled(self) -> bool:
        if self._writer is not None:
            return True
        try:
            async with asyncio.timeout(DIAL_WITHIN_S):
                reader, self._writer = await asyncio.open_connection(HOST, self._port)
        except (OSError, TimeoutError):
            return False
        self._listening = asyncio.create_task(self._listen(reader, self._writer))
        return True

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, OSError):
                while True:
                    head = await reader.readexactly(2)
                    self._take(head + await reader.readexactly(int.from_bytes(head, "big")))
        finally:
            self._writer = None
            writer.close()
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_result(None)

    def _take(self, frame: bytes) -> None:
        mti, fields = decode_frame(frame)
        waiting = self._asked.get((mti, fields[11]))
        if waiting is None or waiting.done():
            self._late(Late(mti, fields))
        else:
            waiting.set_result(fields)


def answer_of(mti: str) -> str:
    """Return the message type that answers this one."""
    return f"{mti[:2]}{int(mti[2]) + 1}0"
