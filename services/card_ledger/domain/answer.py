"""What the ledger says to whoever asked."""

from typing import NamedTuple

from libs.outcome import Outcome


class PurseAmount(NamedTuple):
    """An amount of one purse as the outside sees it; programme 0 is the own purse."""

    account: int
    programme: int
    amount: int


class Answer(NamedTuple):
    """One answer; it leaves only after its batch is committed."""

    outcome: Outcome
    key: bytes = b""
    transfer: int = 0
    rrn: str = ""
    approval_code: str = ""
    balances: tuple[PurseAmount, ...] = ()
    paid: tuple[PurseAmount, ...] = ()
    is_replay: bool = False
    booked_on: int = 0
