"""What a dialect says of its frames, deadlines and sockets; values only."""

from dataclasses import dataclass
from typing import Literal

TPDU_BYTES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRules:
    """How a stream is cut into messages."""

    length_max: int  # Of what follows the length.
    tpdu: Literal["swap", "none"]
    tpdu_id: int
    message_min: int  # Message type and bitmap.

    @property
    def tpdu_bytes(self) -> int:
        """Return how many bytes stand between length and message."""
        return TPDU_BYTES if self.tpdu == "swap" else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """Defaults of a listener of this dialect; its settings may override all but the frame."""

    frame: FrameRules
    host: str
    port: int
    zone: str
    first_message_ms: int
    frame_ms: int
    idle_ms: int
    answer_ms: int
    keepalive_interval_ms: int
    keepalive_count: int
    dropped_in_a_row_max: int
    sign_on_required: bool
