"""What a terminal waits for once it has sent something, and which message types are a pair."""

from enum import IntEnum
from typing import Final, NamedTuple

PURCHASE_MTIS: Final = (b"\x02\x00", b"\x02\x01")
REVERSAL_MTIS: Final = (b"\x04\x00", b"\x04\x20")
PURCHASE_ANSWER: Final = b"\x02\x10"
REVERSAL_ANSWERS: Final = (b"\x04\x10", b"\x04\x30")
APPROVED: Final = b"00"
REVERSED: Final = b"68"
NO_KEY: Final = -1
RECENT_MAX: Final = 256
AGAIN_MAX: Final = 1024
RRN_AND_APPROVAL: Final = 18
"""Bytes of DE37 and DE38 before the DE39 of an approval."""


class Then(IntEnum):
    """What an answered request means for the operation that it belongs to."""

    NOTHING = 0
    INQUIRED = 1
    REPEATED = 2
    HEARD_TWICE = 3  # The same answer may come once more.
    PAIRED = 4  # A purchase with its reversal right behind: both must be answered.
    PURCHASE_AFTER = 5  # The reversal went ahead; its purchase comes now.
    REFUSED_AFTER = 6  # That purchase: it must hear 68.


NAMES: Final = {
    Then.INQUIRED: "inquiry",
    Then.REPEATED: "repeat",
    Then.PURCHASE_AFTER: "reversal ahead",
    Then.REFUSED_AFTER: "after tombstone",
}
"""How answers that are no first verdict are counted."""


class Recent(NamedTuple):
    """An answered purchase that may be repeated or reversed."""

    key: bytes
    number: int
    request: bytes
    verdict: bytes  # DE37 to DE39 as first heard.
    code: bytes  # What a repeat must hear now.


class Waiting(NamedTuple):
    """A request that waits for its answer; ``at_ns`` is when it was due to be sent."""

    number: int
    request: bytes
    at_ns: int
    then: int = Then.NOTHING
    recent: Recent | None = None


def answer_mti(mti: bytes) -> bytes:
    """Return what answers a message type: function digit + 1, origin digit 0."""
    return bytes((mti[0], mti[1] & 0xF0 | 0x10))
