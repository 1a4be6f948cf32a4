"""How long a socket may keep us waiting, and for what."""

from typing import Final, Literal, NamedTuple

NEVER: Final = -1

Overdue = Literal["first_message", "frame", "idle"]


class Patience(NamedTuple):
    """Limits of one listener, in milliseconds."""

    first_message_ms: int  # From the connection to the end of its first message.
    frame_ms: int  # From the first byte of a frame to its last.
    idle_ms: int  # From the last message on.


class Silence(NamedTuple):
    """What a socket has done so far, on the monotonic clock; NEVER where it has not."""

    opened_ms: int
    last_message_ms: int
    frame_since_ms: int  # First byte of the unfinished frame.
    awaits_answer: bool


def overdue(silence: Silence, patience: Patience, now_ms: int) -> Overdue | None:
    """Return which limit has passed, if any. Whoever waits for us is not idle."""
    if silence.last_message_ms == NEVER:
        if now_ms - silence.opened_ms > patience.first_message_ms:
            return "first_message"
    elif silence.frame_since_ms == NEVER and not silence.awaits_answer:
        return "idle" if now_ms - silence.last_message_ms > patience.idle_ms else None
    if silence.frame_since_ms != NEVER and now_ms - silence.frame_since_ms > patience.frame_ms:
        return "frame"
    return None
