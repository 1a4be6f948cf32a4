"""Who uses an answers partition: what one start of one bridge makes of what others say there.

The partition is one log, so all see the same order. Whoever seeks asks first, and anybody who
serves, or who sought before, objects. Whoever was asleep and missed the question learns from the
later announcement that the partition is another's now.
"""

from enum import Enum
from typing import NamedTuple


class Stage(Enum):
    """What is said; the values are those of the record."""

    SEEKING = 1
    HOLDING = 2
    SERVING = 3


class Said(NamedTuple):
    """One record, in the order of the log."""

    nonce: bytes
    stage: Stage
    holder: str


class Reaction(Enum):
    """What to do about it."""

    NOTHING = 0
    OBJECT = 1  # Say HOLDING.
    YIELD = 2  # The partition is another's.


class Instance:
    """One start of one bridge; hears its own records back like everybody's."""

    def __init__(self, nonce: bytes) -> None:
        self._nonce = nonce
        self._latest: Stage | None = None  # The last of our own that came back.

    @property
    def is_asked(self) -> bool:
        """Whether our question has come back: from then on an objection would come, too."""
        return self._latest is not None

    def hear(self, said: Said) -> Reaction:
        """Take the next record."""
        if said.nonce == self._nonce:
            if said.stage is not Stage.HOLDING:
                self._latest = said.stage
            return Reaction.NOTHING
        if said.stage is Stage.SEEKING:
            return Reaction.OBJECT if self.is_asked else Reaction.YIELD
        if self._latest is Stage.SERVING:
            # An objection is meant for others. Of two that announce, the later one is awake.
            return Reaction.YIELD if said.stage is Stage.SERVING else Reaction.NOTHING
        return Reaction.YIELD
