"""What the edge's handlers need from the world; sockets, bus and logs fit these shapes."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

from libs.bus.port import Outgoing
from libs.iso8583 import Pan
from libs.registry import Terminal

Context = TypeVar("Context")


class Caller(Protocol):
    """Whoever is at the other end of a socket."""

    @property
    def is_open(self) -> bool:
        """Whether bytes can still be sent."""

    def send(self, data: bytes) -> None:
        """Send whole frames; a closed socket swallows them."""

    def owe(self) -> None:
        """Note one more answer to come: a half-closed socket stays open for it."""

    def settle(self) -> None:
        """Note that one owed answer was sent or will never be."""

    def slow_down(self) -> None:
        """Note one message over its terminal's rate: what comes next is read a little later."""


class Terminals(Protocol):
    """The registry, as far as the edge looks at it."""

    def terminal(self, code: str) -> Terminal | None:
        """Return a terminal whatever its status."""

    def is_current(self, now_ms: int) -> bool:
        """Whether what is not known does not exist (Clock.monotonic_ms)."""


class Tokens(Protocol):
    """Keeper of the token key."""

    def token(self, pan: Pan) -> bytes:
        """Return the 16 bytes that stand for a card from here on."""


class RequestQueue(Protocol):
    """Where requests gather for the next send."""

    def __len__(self) -> int:
        """How many wait to be sent."""

    def put(self, record: Outgoing, on_unknown: Callable[[], None]) -> None:
        """Send soon; ``on_unknown`` is called when it cannot be known whether it arrived."""


class AnswerInbox(Protocol[Context]):
    """Correlation ids that wait for a record on our own partition."""

    def expect(self, correlation_id: bytes, deadline_ms: int, context: Context) -> None:
        """Wait until a moment of the monotonic clock."""

    def forget(self, correlation_id: bytes) -> Context | None:
        """Stop waiting."""


class MoneyLine(NamedTuple):
    """What is written down of one money message; the card is masked."""

    at_ms: int  # Unix ms.
    correlation_id: bytes  # Empty when it never left the edge.
    operation: str
    terminal: str
    outlet: str
    stan: int
    rrn: str
    card: str
    amount_minor: int
    de39: str  # Empty: silence.
    took_ms: int


class Journal(Protocol):
    """Log lines and figures; never bytes of a message."""

    def read(self, operation: str) -> None:
        """Count one message that could be read."""

    def money(self, line: MoneyLine) -> None:
        """Write the one line of a money message, and count its answer."""

    def network(self, action: str, de39: str) -> None:
        """Count one answered network message."""

    def dropped(self, reason: str) -> None:
        """Count one message that nobody can answer."""

    def silent(self, reason: str) -> None:
        """Count one message that gets no answer."""

    def flooding(self, terminal: str) -> None:
        """Write that a terminal sends more than its rate."""

    def closed(self, reason: str) -> None:
        """Count one socket that we closed or refused."""

    def failed(self, what: str, fault: Exception) -> None:
        """Write that our own code failed: class and place of the fault, never its text."""
