"""What all terminals of a run share: names, STANs, the clock's bytes and the running tally."""

import time
from array import array
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from loadtests.belief import Belief
from loadtests.frames import (
    BITMAP_AT,
    BODY_END,
    BODY_END_WITHOUT_AMOUNT,
    MTI_AT,
    Layout,
    encode_field,
    encode_frame,
    pack_digits,
)
from loadtests.plan import Pool

ZONE: Final = ZoneInfo("Asia/Jayapura")
UNANSWERED_AFTER_NS: Final = 10_000_000_000
"""A terminal waits this long, then reverses (or reverses again)."""

PROBLEMS_KEPT: Final = 8
STAN_MAX: Final = 999_999

_PURCHASE: Final = {
    2: "9360099900000016", 3: "000000", 4: "0", 11: "0", 12: "0", 13: "0101", 14: "3012",
    22: "051", 24: "003", 25: "00", 41: "LSK00001", 42: "BUMA00000000001", 49: "360",
}  # fmt: skip
_INQUIRY: Final = {number: value for number, value in _PURCHASE.items() if number != 4}  # noqa: PLR2004 -- DE4

PURCHASE_HEAD: Final = encode_frame("0200", _PURCHASE)[: BITMAP_AT + 8]
INQUIRY_HEAD: Final = encode_frame("0200", _INQUIRY)[: BITMAP_AT + 8]
INQUIRY_HEAD_0100: Final = encode_frame("0100", _INQUIRY)[: BITMAP_AT + 8]

_BCD4: Final = [pack_digits(f"{value:04d}") for value in range(10_000)]
_BCD2: Final = [pack_digits(f"{value:02d}") for value in range(100)]


def with_mti(frame: bytes, mti: bytes) -> bytes:
    """Return the frame under another message type: a repeat, a reversal of the same key."""
    return frame[:MTI_AT] + mti + frame[BITMAP_AT:]


def body_end(request: bytes) -> int:
    """Return up to where an answer must equal its request: DE2 to DE13."""
    return BODY_END if request[BITMAP_AT] & 0x10 else BODY_END_WITHOUT_AMOUNT


def stan_bytes(stan: int) -> bytes:
    """Return DE11 as it stands on the wire."""
    return _BCD2[stan // 10_000] + _BCD4[stan % 10_000]


@dataclass(slots=True, eq=False)
class Terminal:
    """One EDC: its fixed bytes and the last STAN that it used."""

    index: int
    name: bytes  # DE41.
    tail: bytes  # DE13 to the end of its requests.
    stan: int

    def next_stan(self) -> int:
        """Return a STAN not used today; ``OverflowError`` when the day's are used up."""
        self.stan += 1
        if self.stan > STAN_MAX:
            message = f"{self.name.decode()} has used all STANs of its day"
            raise OverflowError(message)
        return self.stan


@dataclass(slots=True, eq=False, kw_only=True)
class Tally:
    """What was counted between two moments; latencies in microseconds, purchases only."""

    latencies: "array[int]" = field(default_factory=lambda: array("I"))
    lateness: "array[int]" = field(default_factory=lambda: array("I"))
    codes: Counter[bytes] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)  # Answers that are no first verdict.
    unanswered: int = 0
    late: int = 0  # Answers to a purchase that had been given up.
    unexpected: int = 0
    wrong: int = 0
    unsent: int = 0
    problems: list[str] = field(default_factory=list)

    def complain(self, problem: str) -> None:
        """Count an answer that breaks edc.md; the first few are kept, with no card data."""
        self.wrong += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(problem)


class Fleet:
    """Terminals ``LSK00001``… of outlets ``BUMA00000000001``…, and what their lines share."""

    def __init__(self, outlets: int, day: date, first_stan: int = 1) -> None:
        names = [f"LSK{number:05d}" for number in range(1, outlets + 1)]
        self.day = day
        self.terminals = [_terminal(at, name, day, first_stan - 1) for at, name in enumerate(names)]
        self.belief = Belief(names)
        self.layouts: dict[bytes, Layout | None] = {}
        self.pool = Pool(operations=[])
        self.tally = Tally()
        self.is_open = False  # While open, a finished operation is followed by the next one.
        self.remembers = False  # Whether answered purchases are kept for repeats and reversals.
        self._second = -1
        self._time = b""

    def time_bytes(self) -> bytes:
        """Return DE12, the local time of the terminals."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._time = pack_digits(datetime.fromtimestamp(second, ZONE).strftime("%H%M%S"))
        return self._time

    def next_tally(self) -> Tally:
        """Begin a new tally and return the one that ends here."""
        ended, self.tally = self.tally, Tally()
        return ended


def today() -> date:
    """Return the date in the listener's zone."""
    return datetime.fromtimestamp(time.time(), ZONE).date()


def _terminal(index: int, name: str, day: date, stan: int) -> Terminal:
    fields = {**_PURCHASE, 13: day.strftime("%m%d"), 41: name, 42: f"BUMA{index + 1:011d}"}
    tail = b"".join(encode_field(number, value) for number, value in fields.items() if number > 12)  # noqa: PLR2004 -- after DE12
    return Terminal(index, name.encode(), tail, stan)
