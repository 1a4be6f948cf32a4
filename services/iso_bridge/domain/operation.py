"""What a money message asks for, as records and log lines name it."""

from typing import Final, NamedTuple

from libs.contracts.lesko.v1.authorization_pb2 import (
    OPERATION_INQUIRY,
    OPERATION_PURCHASE,
    OPERATION_REVERSAL,
    Operation,
)
from libs.iso8583 import Kind


class MoneyOperation(NamedTuple):
    """A kind of money message."""

    name: str
    number: Operation
    has_key: bool  # One key, one message; an inquiry has none.
    expires: bool  # Whether the switch may refuse it for being late.


PURCHASE: Final = MoneyOperation("purchase", OPERATION_PURCHASE, has_key=True, expires=True)
INQUIRY: Final = MoneyOperation("inquiry", OPERATION_INQUIRY, has_key=False, expires=True)
REVERSAL: Final = MoneyOperation("reversal", OPERATION_REVERSAL, has_key=True, expires=False)


def operation_of(kind: Kind) -> MoneyOperation | None:
    """Return the operation of a kind of message; None for one that is about no money."""
    if kind is Kind.PURCHASE:
        return PURCHASE
    if kind is Kind.REVERSAL:
        return REVERSAL
    return INQUIRY if kind is Kind.INQUIRY else None
