"""What the ledger is asked to do, free of any record format."""

from typing import NamedTuple

from libs.outcome import Outcome
from services.card_ledger.domain.kinds import TransferKind


class Reference(NamedTuple):
    """The business key and the content that a repeat must carry again (edc.md, Keys)."""

    key: bytes  # 16 bytes; empty for an inquiry.
    key_day: int  # Days since 1970-01-01.
    card_token: bytes
    processing_code: int
    amount: int  # Minor units, as asked.
    outlet: str
    terminal: str
    stan: int
    rrn_sent: str


class Line(NamedTuple):
    """Goods of one class and the purses that may pay them, in the order of paying."""

    goods_class: int
    amount: int
    purses: tuple[int, ...]


class Limits(NamedTuple):
    """What one wallet may spend; 0 means no limit. Minor units."""

    day_amount: int
    day_count: int
    month_amount: int
    month_count: int


NO_LIMITS = Limits(0, 0, 0, 0)


class Purchase(NamedTuple):
    """Pay all lines to the outlet's shard, or nothing."""

    lines: tuple[Line, ...]
    credit: int
    limits: Limits


class Reversal(NamedTuple):
    """Give back what the key's purchase took, once."""


class Inquiry(NamedTuple):
    """Tell the balances; stores nothing."""


class Resend(NamedTuple):
    """Publish again what these batches stored; changes nothing. Both numbers included."""

    first_batch_no: int
    last_batch_no: int


class AccountTerms(NamedTuple):
    """A purse to open; minor units, None: no bound. Its floor is 0."""

    number: int
    ceiling: int | None
    valid_until: int | None  # Last day, days since 1970-01-01.
    programme: int  # 0: own money.


class OpenPurses(NamedTuple):
    """Open these purses; those that are open keep their terms. Moves no money."""

    accounts: tuple[AccountTerms, ...]


class MovementsAsked(NamedTuple):
    """Tell what moved in the command's wallet, by booking day, both days included."""

    first_day: int
    last_day: int
    after: int  # Id of the last row told before; 0: tell from the first one.
    rows_max: int


class PostingLeg(NamedTuple):
    """One movement of a posting."""

    debit: int
    credit: int
    amount: int


class Posting(NamedTuple):
    """Movements decided elsewhere: all legs or none."""

    kind: TransferKind
    legs: tuple[PostingLeg, ...]


Body = Purchase | Reversal | Inquiry | Posting | Resend | OpenPurses | MovementsAsked


class Command(NamedTuple):
    """One request to the ledger, within one partition."""

    reference: Reference
    wallet: int  # 0: the card is not known.
    card: int
    accounts: tuple[int, ...]  # The wallet's purses to show, own first.
    verdict: Outcome | None  # Decided by authorization; stored for a new key.
    refuse_new: Outcome | None  # For a new key; nothing is stored.
    is_repeat: bool
    deadline_ms: int  # Unix ms, 0: none.
    body: Body

    @property
    def needs_lookup(self) -> bool:
        """Whether the key must be looked up before the decision, not only on a collision."""
        reversal = isinstance(self.body, Reversal)
        return bool(self.reference.key) and (
            reversal or self.is_repeat or self.refuse_new is not None
        )
