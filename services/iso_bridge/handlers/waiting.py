"""One command on its way and the sockets that wait for it; who may join, pending.py decides."""

from typing import Final, NamedTuple

from libs.iso8583 import Message, MessageSpec, Pan
from services.iso_bridge.domain.content import Content
from services.iso_bridge.domain.operation import MoneyOperation
from services.iso_bridge.handlers.reception import Reception
from services.iso_bridge.ports import Caller

EARLIER_MAX: Final = 4
"""Sockets remembered behind the latest one; a terminal that dials again leaves a dead one."""

_NO_REPEATS: Final = -1


class Asker(NamedTuple):
    """One message that waits: its socket, its addresses, and what an answer echoes."""

    caller: Caller
    tpdu: bytes
    message: Message
    spec: MessageSpec
    reception: Reception


class Earlier(NamedTuple):
    """A message that another one has joined, and until when its own answer is in time."""

    asker: Asker
    deadline_ms: int


class Waiting:
    """What the edge keeps between a request and its answer. Times are monotonic ms."""

    __slots__ = (
        "card", "content", "correlation_id", "deadline_ms", "earlier", "key",
        "latest", "operation", "received_ms", "repeat_until_ms",
    )  # fmt: skip

    def __init__(
        self,
        asker: Asker,
        operation: MoneyOperation,
        key: bytes,
        content: Content,
        card: Pan,
        correlation_id: bytes,
        received_ms: int,
    ) -> None:
        self.latest = asker
        self.earlier: tuple[Earlier, ...] = ()
        self.operation = operation
        self.key = key  # Empty for an inquiry.
        self.content = content
        self.card = card
        self.correlation_id = correlation_id
        self.received_ms = received_ms
        self.deadline_ms = received_ms + asker.reception.answer_ms
        # The command is as old as its first message; a repeat after that asks anew.
        self.repeat_until_ms = self.deadline_ms

    def join(self, asker: Asker, received_ms: int) -> None:
        """Let the repeat wait too, longest remembered first out."""
        joined = (*self.earlier, Earlier(self.latest, self.deadline_ms))
        for forgotten in joined[:-EARLIER_MAX]:
            forgotten.asker.caller.settle()
        self.earlier = joined[-EARLIER_MAX:]
        self.latest = asker
        self.received_ms = received_ms
        self.deadline_ms = received_ms + asker.reception.answer_ms

    def refuse_repeats(self) -> None:
        """Let no repeat join from now on: the command may never have left."""
        self.repeat_until_ms = _NO_REPEATS

    @property
    def is_doubtful(self) -> bool:
        """Whether it is not known that the command left."""
        return self.repeat_until_ms == _NO_REPEATS

    def open_asker(self, now_ms: int) -> Asker | None:
        """Return the latest message whose socket is open, and of earlier ones one still in time."""
        if self.latest.caller.is_open:
            return self.latest
        for asker, deadline_ms in reversed(self.earlier):
            if asker.caller.is_open and now_ms < deadline_ms:
                return asker
        return None

    def settle(self) -> None:
        """Tell every socket that it waits no longer for this."""
        self.latest.caller.settle()
        for earlier in self.earlier:
            earlier.asker.caller.settle()
