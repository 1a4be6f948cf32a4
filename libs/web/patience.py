"""A server's protocol that does not wait for ever for the head of a request."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle


def patient_protocol(head_ms_max: int) -> type[asyncio.Protocol]:
    """Return the protocol for a server on which a request's head arrives in so much time, or never.

    The time runs from the connection's beginning, and on a kept connection from the first byte of
    each further request; between requests the server's own keep-alive time-out holds. What comes
    behind the head is the app's concern: it knows how much a route takes.
    """

    class Protocol(_PatientProtocol):
        head_s_max = head_ms_max / 1_000

    return Protocol


class _PatientProtocol(H11Protocol):
    head_s_max: float

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", transport))
        self._begin_waiting()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        serving: RequestResponseCycle | None = self.cycle  # None before the first request.
        if serving is not None and not serving.response_complete:
            self._end_waiting()  # The head is there and the app has it.
        else:
            self._begin_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_waiting()
        super().connection_lost(exc)

    def _begin_waiting(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(self.head_s_max, self.transport.abort)

    def _end_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
