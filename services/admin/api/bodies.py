"""What is read of a request: so many bytes, in so much time, of the type its route takes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from services.admin.api.actions import JSON, Access
from services.admin.api.problems import Problem, ProblemRequest
from services.admin.api.strict_json import NotOurJson, check_json

_PLAIN: Final = ("", "identity")


async def checked_body(
    receive: Receive, headers: Headers, access: Access, *, has_body: bool
) -> Receive:
    """Return what the route receives from. Raises ProblemRequest, now or while it is read.

    JSON is read whole and checked first; other types are counted and timed as they are read.
    """
    if headers.get("content-encoding", "").strip().lower() not in _PLAIN:
        raise ProblemRequest(Problem.WRONG_TYPE, "send it uncompressed")
    bounded = _Bounded(receive, access if has_body else access._replace(body_bytes_max=0))
    bounded.refuse_announced(headers)
    if access.media_type != JSON:
        _check_type(headers, access.media_type)
        return bounded.receive
    body = await bounded.whole()
    if body:
        _check_type(headers, JSON)
        try:
            await asyncio.to_thread(check_json, body)  # Others have their turn meanwhile.
        except NotOurJson as wrong:
            raise ProblemRequest(Problem.MALFORMED, str(wrong)) from None
    return _replay(body, receive)


class _Bounded:
    """Receives a body that may not be longer or slower than its route takes."""

    def __init__(self, receive: Receive, access: Access) -> None:
        self._receive = receive
        self._bytes_left = access.body_bytes_max
        self._until = asyncio.get_running_loop().time() + access.receive_ms_max / 1_000
        self._is_over = False

    def refuse_announced(self, headers: Headers) -> None:
        """Refuse at once what says itself that it is too large; what says less is counted."""
        announced = headers.get("content-length", "0")
        if not announced.isascii() or not announced.isdigit():
            raise ProblemRequest(Problem.MALFORMED)
        if len(announced) > len(str(self._bytes_left)) or int(announced) > self._bytes_left:
            raise ProblemRequest(Problem.TOO_LARGE)

    async def receive(self) -> Message:
        """Receive the next part; behind the end only the client's leaving is waited for."""
        if self._is_over:
            return await self._receive()
        async with self._deadline():
            message = await self._receive()
        self._bytes_left -= len(message.get("body", b""))
        if self._bytes_left < 0:
            raise ProblemRequest(Problem.TOO_LARGE)
        self._is_over = not message.get("more_body", False)
        return message

    async def whole(self) -> bytes:
        """Receive all of it."""
        parts: list[bytes] = []
        while not self._is_over:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ProblemRequest(Problem.MALFORMED)  # Nobody is there to read it.
            parts.append(message.get("body", b""))
        return b"".join(parts)

    @asynccontextmanager
    async def _deadline(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout_at(self._until):
                yield
        except TimeoutError:
            raise ProblemRequest(Problem.TOO_SLOW) from None


def _check_type(headers: Headers, wanted: str) -> None:
    media_type, _, parameters = headers.get("content-type", "").partition(";")
    if media_type.strip().lower() != wanted:
        raise ProblemRequest(Problem.WRONG_TYPE, f"send {wanted}")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if charset not in ("", "utf-8"):
        raise ProblemRequest(Problem.WRONG_TYPE, "send UTF-8")


def _replay(body: bytes, receive: Receive) -> Receive:
    is_given = False

    async def receive_again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
