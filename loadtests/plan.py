"""What the terminals will do: seeded pools of operations, built before anything is measured."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from random import Random
from typing import Final, NamedTuple

from loadtests.belief import facts
from loadtests.frames import encode_field, pan_of

POOL_SIZE: Final = 1 << 16
AMOUNT_MIN: Final = 10_000
AMOUNT_MAX: Final = 500_000
"""Rp 100 to Rp 5,000: small enough that 100,000 demo cards do not run dry in a run."""

PURCHASE_CODE: Final = "000000"
INQUIRY_CODE: Final = "310000"


class Kind(IntEnum):
    """One thing that a terminal does."""

    PURCHASE = 0
    INQUIRY = 1
    REPEAT = 2  # The frame of an answered purchase once more.
    REPEAT_AT_ONCE = 3  # A purchase, and the same frame right behind it.
    REVERSAL = 4  # Of an answered purchase.
    REVERSAL_AT_ONCE = 5  # A purchase, and its reversal right behind it.
    REVERSAL_AHEAD = 6  # A reversal, and its purchase once that is answered.


class Operation(NamedTuple):
    """One planned operation with the bytes that depend on the card and the amount."""

    kind: int
    body: bytes  # DE2, 3, 4 of a purchase; DE2, 3 of an inquiry.
    what: int  # Card and amount, packed by belief.facts.


PURCHASES_ONLY: Final[Mapping[Kind, float]] = {Kind.PURCHASE: 1.0}
MIXED: Final[Mapping[Kind, float]] = {
    Kind.PURCHASE: 0.70,
    Kind.INQUIRY: 0.10,
    Kind.REPEAT: 0.05,
    Kind.REPEAT_AT_ONCE: 0.03,
    Kind.REVERSAL: 0.06,
    Kind.REVERSAL_AT_ONCE: 0.03,
    Kind.REVERSAL_AHEAD: 0.03,
}
MIXES: Final[Mapping[str, Mapping[Kind, float]]] = {"purchases": PURCHASES_ONLY, "mixed": MIXED}


@dataclass(slots=True, kw_only=True)
class Pool:
    """Operations that are drawn one after the other, from the start again at the end."""

    operations: list[Operation]
    _next: int = field(default=0)

    def draw(self) -> Operation:
        """Return the next operation."""
        at = self._next
        self._next = at + 1 if at + 1 < len(self.operations) else 0
        return self.operations[at]


def build_pool(seed: str, mix: Mapping[Kind, float], cards: int, size: int = POOL_SIZE) -> Pool:
    """Draw ``size`` operations over ``cards`` demo cards; equal seeds give equal pools."""
    random = Random(seed)  # noqa: S311 -- repeatable load, no secret
    kinds = random.choices(list(mix), weights=list(mix.values()), k=size)
    purchase, inquiry = encode_field(3, PURCHASE_CODE), encode_field(3, INQUIRY_CODE)
    operations = []
    for kind in kinds:
        card = random.randint(1, cards)
        amount = random.randint(AMOUNT_MIN, AMOUNT_MAX)
        body = encode_field(2, pan_of(card))
        if kind is Kind.INQUIRY:
            body += inquiry
        else:
            body += purchase + encode_field(4, str(amount))
        operations.append(Operation(int(kind), body, facts(card, amount)))
    return Pool(operations=operations)
