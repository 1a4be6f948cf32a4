"""One terminal's socket: bytes to frames and answers back; what they mean is decided elsewhere."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final, NamedTuple, cast

from libs.clock import Clock
from libs.iso8583 import Frame, FrameReader, FrameRules
from services.iso_bridge.domain.patience import NEVER, Patience, Silence, overdue
from services.iso_bridge.ports import Caller, Journal

_MS: Final = 1_000
_FRAMES_A_TURN: Final = 128
_SLOWED_S: Final = (
    0.0002  # For each message over its rate: 5,000 of them a second and line at most.
)


class SocketRules(NamedTuple):
    """What one listener asks of its sockets."""

    frame: FrameRules
    patience: Patience
    keepalive_interval_ms: int
    keepalive_count: int
    dropped_in_a_row_max: int
    unsent_bytes_max: int
    is_tls: bool


Receive = Callable[[Caller, Frame], bytes | None]
"""Handler of one frame: bytes to answer with, empty for none now, None for a dropped message."""


class Connection(asyncio.Protocol):
    """Reads and writes; keeps the limits of its listener when it is looked at."""

    __slots__ = (
        "_clock", "_closed", "_closing_ms", "_dropped", "_frame_since_ms", "_half_closed",
        "_journal", "_last_message_ms", "_opened_ms", "_owed", "_reader", "_reads_no_more",
        "_receive", "_rules", "_slowed", "_transport", "is_open",
    )  # fmt: skip

    def __init__(
        self,
        rules: SocketRules,
        receive: Receive,
        *,
        clock: Clock,
        journal: Journal,
        closed: Callable[["Connection"], None],
    ) -> None:
        self._rules = rules
        self._receive = receive
        self._clock = clock
        self._journal = journal
        self._closed = closed
        self._reader = FrameReader(rules.frame)
        self._opened_ms = clock.monotonic_ms()
        self._last_message_ms = NEVER
        self._frame_since_ms = NEVER
        self._dropped = 0
        self._owed = 0
        self._slowed = 0
        self._half_closed = False
        self._reads_no_more = False
        self._closing_ms = NEVER
        self._transport: asyncio.Transport | None = None
        self.is_open = False

    @property
    def has_spoken(self) -> bool:
        """Whether a whole message ever came."""
        return self._last_message_ms != NEVER

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket over."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=self._rules.unsent_bytes_max)
        self.is_open = True
        _prepare(transport.get_extra_info("socket"), self._rules)

    def data_received(self, data: bytes) -> None:
        """Hand whole frames on and write at once what can be answered at once."""
        reader = self._reader
        was_in_frame = reader.in_frame
        frames = reader.feed(data)
        if not reader.in_frame:
            self._frame_since_ms = NEVER
        elif frames or not was_in_frame:
            self._frame_since_ms = self._clock.monotonic_ms()
        if frames:
            self._last_message_ms = self._clock.monotonic_ms()
        self._handle(frames)

    def eof_received(self) -> bool:
        """Keep our side open while answers are owed. TLS has no half-closed state to keep."""
        if self._reader.in_frame and self.is_open:
            self._journal.dropped("half_frame")
        self._half_closed = True
        return self._owed > 0 and not self._rules.is_tls

    def pause_writing(self) -> None:
        """Part with a client that does not read what it asked for."""
        self._close_for("not_reading", at_once=True)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's name
        """Forget the socket; why it went is of no interest."""
        self.is_open = False
        self._closed(self)

    def send(self, data: bytes) -> None:
        """Write whole frames."""
        if self.is_open and self._transport is not None:
            self._transport.write(data)

    def owe(self) -> None:
        """Note one more answer to come."""
        self._owed += 1

    def settle(self) -> None:
        """Note that one owed answer is done; after the last one a socket that is over closes."""
        self._owed -= 1
        if (self._half_closed or self._reads_no_more) and self._owed <= 0:
            self.close()

    def slow_down(self) -> None:
        """Read what comes next a little later: whoever floods us waits, and nobody else."""
        self._slowed += 1

    def check(self, now_ms: int) -> None:
        """Close when patience has run out, also with a client that does not take the rest."""
        if not self.is_open:
            is_stuck = (
                self._closing_ms != NEVER
                and now_ms - self._closing_ms > self._rules.patience.frame_ms
            )
            if is_stuck and self._transport is not None:
                self._transport.abort()
            return
        reason = overdue(
            Silence(self._opened_ms, self._last_message_ms, self._frame_since_ms, self._owed > 0),
            self._rules.patience,
            now_ms,
        )
        if reason is not None:
            self._close_for(reason)

    def stop_reading(self) -> None:
        """Take no further message, and close once the last answer that is owed went out.

        A line that stays open unread would swallow what its terminal sends meanwhile.
        """
        if self.is_open and self._transport is not None:
            self._reads_no_more = True
            self._transport.pause_reading()
            if self._owed <= 0:
                self.close()

    def close(self) -> None:
        """Write what is due and close."""
        if self.is_open and self._transport is not None:
            self.is_open = False
            self._closing_ms = self._clock.monotonic_ms()
            self._transport.close()

    def refuse(self, reason: str) -> None:
        """Close at once without having read anything."""
        self._close_for(reason, at_once=True)

    def _handle(self, frames: list[Frame]) -> None:
        answers = []
        for frame in frames[:_FRAMES_A_TURN]:
            answer = self._receive(self, frame)
            if answer:
                answers.append(answer)
            self._dropped = self._dropped + 1 if answer is None else 0
            if self._dropped >= self._rules.dropped_in_a_row_max:
                break
        if answers:
            self.send(answers[0] if len(answers) == 1 else b"".join(answers))
        if self._dropped >= self._rules.dropped_in_a_row_max:
            self._close_for("dropped_in_a_row")
        elif len(frames) > _FRAMES_A_TURN or self._slowed:
            self._go_on_later(frames[_FRAMES_A_TURN:])
        elif self._reader.broken is not None:
            self._close_for(self._reader.broken)

    def _go_on_later(self, frames: list[Frame]) -> None:
        """Let other sockets have their turn: a flood on one must not hold up the rest."""
        if self._transport is None or not self.is_open:
            return
        self._transport.pause_reading()
        pause_s, self._slowed = self._slowed * _SLOWED_S, 0
        asyncio.get_running_loop().call_later(pause_s, self._go_on, frames)

    def _go_on(self, frames: list[Frame]) -> None:
        if self.is_open and not self._reads_no_more:
            if self._transport is not None:
                self._transport.resume_reading()
            self._handle(frames)

    def _close_for(self, reason: str, *, at_once: bool = False) -> None:
        if not self.is_open:
            return
        self._journal.closed(reason)
        if at_once and self._transport is not None:
            self.is_open = False
            self._transport.abort()
        else:
            self.close()


def _prepare(raw: socket.socket | None, rules: SocketRules) -> None:
    """Answer without delay, and notice within 90 s (by default) that the other end is dead."""
    if raw is None:
        return
    seconds = max(1, rules.keepalive_interval_ms // _MS)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", seconds),
        ("TCP_KEEPINTVL", seconds),
        ("TCP_KEEPCNT", rules.keepalive_count),
        ("TCP_USER_TIMEOUT", rules.keepalive_interval_ms * rules.keepalive_count),
    ):
        option = getattr(socket, name, None)  # Not every system has each of them.
        if option is not None:
            raw.setsockopt(socket.IPPROTO_TCP, option, value)
