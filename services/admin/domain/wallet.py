"""A manual adjustment of a wallet: what it must name, and the one posting that books it."""

from datetime import date
from typing import Final, NamedTuple

from libs.clock import day_number
from libs.contracts.accounts import PURSES_MAX, adjustment_account, purse_account
from libs.contracts.keys import business_key
from libs.contracts.lesko.v1.authorization_pb2 import Reference
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand, Posting, PostingLeg
from libs.contracts.transfers import TransferKind
from libs.money import IDR
from services.admin.domain.act import Act
from services.admin.domain.refusal import Refusal, Refused

ADJUST: Final = "wallet.adjust"
SHOW: Final = "wallet.show"
STATEMENT: Final = "wallet.statement"
WALLET_MAX: Final = (1 << 48) - 1
AMOUNT_MAX: Final = 999_999_999_999
"""Twelve digits of minor units, as much as DE4 holds."""
DIRECTIONS: Final = ("credit", "debit")
_ENTITY: Final = "wallet/"
_NO_CARD: Final = bytes(16)


class Adjustment(NamedTuple):
    """Money that people put into a purse or take out of it; minor units, always above 0."""

    wallet: int
    purse: int  # 0: the own one.
    amount: int
    is_credit: bool


def wallet_entity(wallet: int) -> str:
    """Return the name of a wallet in acts, audit and outbox."""
    return f"{_ENTITY}{wallet}"


def read_adjustment(act: Act) -> Adjustment | Refused:
    """Read what an act asks for; refused where it does not name all of it."""
    wallet = act.entity.removeprefix(_ENTITY)
    purse, amount = act.content.get("purse"), act.content.get("amount_minor")
    direction = act.content.get("direction")
    if not (wallet.isascii() and wallet.isdigit() and 0 < int(wallet) <= WALLET_MAX):
        return Refused(Refusal.UNKNOWN)
    if not isinstance(purse, int) or not 0 <= purse <= PURSES_MAX:
        return Refused(Refusal.NOT_ALLOWED, f"The purse is a number from 0 to {PURSES_MAX}.")
    if not isinstance(amount, int) or not 0 < amount <= AMOUNT_MAX:
        return Refused(Refusal.NOT_ALLOWED, f"The amount is from 1 to {AMOUNT_MAX} sen.")
    if direction not in DIRECTIONS:
        return Refused(Refusal.NOT_ALLOWED, "The direction is credit or debit.")
    if not act.document.strip():
        return Refused(Refusal.NOT_ALLOWED, "Name the document behind the adjustment.")
    return Adjustment(int(wallet), purse, amount, direction == "credit")


def adjustment_key(day: date, command: bytes) -> bytes:
    """Return the business key: the day on which it was decided, and the command that carries it."""
    return business_key(day, "adjustment", command.hex())


def adjustment_record(
    adjustment: Adjustment, *, key: bytes, day: date, partition: int
) -> LedgerCommand:
    """Build the one balanced posting between the purse and the adjustment account beside it."""
    purse = purse_account(adjustment.wallet, adjustment.purse)
    other = adjustment_account(partition)
    debit, credit = (other, purse) if adjustment.is_credit else (purse, other)
    return LedgerCommand(
        reference=Reference(
            key=key,
            key_day=day_number(day),
            card_token=_NO_CARD,
            amount_minor=adjustment.amount,
            currency=IDR,
        ),
        wallet=adjustment.wallet,
        accounts=[purse],
        posting=Posting(
            kind=TransferKind.ADJUSTMENT.value,
            legs=[PostingLeg(debit=debit, credit=credit, amount_minor=adjustment.amount)],
        ),
    )
