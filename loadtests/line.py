"""One standing connection of terminals: cuts the stream into frames and hands them to its crew."""

import asyncio
from collections.abc import Callable
from time import perf_counter_ns
from typing import cast

from loadtests.crew import Crew


class Line(asyncio.Protocol):
    """A connection that may be lost and made again; its crew goes on where it was.

    ``slots`` operations are begun when it is first connected. ``on_lost`` is called each time
    the connection ends, whoever ended it.
    """

    def __init__(self, crew: Crew, *, slots: int, on_lost: Callable[[], None]) -> None:
        self.crew = crew
        self._slots = slots
        self._on_lost = on_lost
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection and begin the slots that were not begun yet."""
        self._transport = cast("asyncio.Transport", transport)
        self._rest = b""
        slots, self._slots = self._slots, 0
        for _ in range(slots):
            self.start(perf_counter_ns())

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; what waits for an answer is reversed after its time."""
        del exc
        self._transport = None
        self._on_lost()

    def data_received(self, data: bytes) -> None:
        """Hand every whole frame on; what follows from all of them leaves in one write."""
        now_ns = perf_counter_ns()
        if self._rest:
            data = self._rest + data
        at, end, out = 0, len(data), list[bytes]()
        take = self.crew.take
        while end - at > 1:
            after = at + 2 + (data[at] << 8 | data[at + 1])
            if after > end:
                break
            if after > at + 2:  # An empty frame is a keep-alive.
                take(data[at:after], now_ns, out)
            at = after
        self._rest = data[at:]
        if out:
            self._write(out)

    def start(self, at_ns: int) -> bool:
        """Begin one operation that was due at ``at_ns``; False when the connection is down."""
        if self._transport is None:
            return False
        out: list[bytes] = []
        self.crew.start(at_ns, out)
        self._write(out)
        return True

    def sweep(self) -> None:
        """Let the crew reverse what stayed unanswered; a retry that cannot leave comes again."""
        out: list[bytes] = []
        self.crew.sweep(perf_counter_ns(), out)
        self._write(out)

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()

    def _write(self, frames: list[bytes]) -> None:
        if frames and self._transport is not None:
            self._transport.write(b"".join(frames))
