"""What the terminals believe of every key they used, kept in a few bytes a key."""

from array import array
from collections import Counter
from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

NO_CODE: Final = 255
ODD_CODE: Final = 254
"""An answer whose DE39 is no pair of digits."""

_STAN_BITS: Final = 20
_AMOUNT_BITS: Final = 40
APPROVED_CODE: Final = b"00"


class State(IntEnum):
    """What a terminal holds for true about one key; each must be found in the ledger."""

    UNANSWERED = 0  # Money may have moved, once at most.
    APPROVED = 1  # Money moved, once, the whole amount.
    REFUSED = 2  # No money moved.
    REVERSED = 3  # It was approved and went back: both are booked.
    WITHDRAWN = 4  # Reversed without having heard a verdict: nothing is left of it.
    TOMBSTONED = 5  # Reversed before it was asked: it must never have moved money.


class Believed(NamedTuple):
    """One key as its terminal sees it; amount in sen."""

    terminal: str
    stan: int
    card: int
    amount: int
    state: State
    code: int  # DE39 as a number, NO_CODE before an answer.


def facts(card: int, amount: int) -> int:
    """Pack what a key is about; card serial below 2**23, amount below 2**40 sen."""
    return card << _AMOUNT_BITS | amount


class Belief:
    """Numbered keys in the order in which they were first sent."""

    def __init__(self, terminals: list[str]) -> None:
        self._terminals = terminals
        self._where = array("Q")
        self._what = array("Q")
        self.states = bytearray()
        self.codes = bytearray()

    def __len__(self) -> int:
        """Count the keys that were ever sent."""
        return len(self.states)

    def open(self, terminal: int, stan: int, what: int) -> int:
        """Take down a key that is about to be sent and return its number."""
        self._where.append(terminal << _STAN_BITS | stan)
        self._what.append(what)
        self.states.append(0)
        self.codes.append(NO_CODE)
        return len(self.states) - 1

    def answered(self, number: int, code: bytes) -> None:
        """Take down the verdict on a purchase; what was withdrawn meanwhile stays withdrawn."""
        self.codes[number] = int(code) if code.isdigit() else ODD_CODE
        if self.states[number] == State.UNANSWERED:
            self.states[number] = State.APPROVED if code == APPROVED_CODE else State.REFUSED

    def reversed(self, number: int) -> None:
        """Take down that a reversal was answered 00; a refusal stays what it was."""
        state = self.states[number]
        if state == State.APPROVED:
            self.states[number] = State.REVERSED
        elif state == State.UNANSWERED:
            self.states[number] = State.WITHDRAWN

    def tombstoned(self, number: int) -> None:
        """Take down that a reversal was answered 00 before its original was ever sent."""
        self.states[number] = State.TOMBSTONED

    def counts(self) -> dict[str, int]:
        """Count the keys by state."""
        found = Counter(self.states)
        return {state.name.lower(): found[state] for state in State if found[state]}

    def __iter__(self) -> Iterator[Believed]:
        """Go through all keys in the order of their numbers."""
        names, amount_mask, stan_mask = self._terminals, (1 << _AMOUNT_BITS) - 1, (1 << 20) - 1
        for where, what, state, code in zip(
            self._where, self._what, self.states, self.codes, strict=True
        ):
            yield Believed(
                names[where >> _STAN_BITS],
                where & stan_mask,
                what >> _AMOUNT_BITS,
                what & amount_mask,
                State(state),
                code,
            )
