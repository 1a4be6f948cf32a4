"""What moved in a wallet, a page at a time, with what its purses held before and after."""

from typing import Final, NamedTuple

from libs.contracts.accounts import PURSES_MAX, purse_account
from services.card_ledger.domain.answer import PurseAmount
from services.card_ledger.domain.transfer import Transfer

ROWS_MAX: Final = 500
"""So many rows of a wallet are told at once, whoever asks for how much."""

WALLET_MAX: Final = (1 << 48) - 1
"""The highest number that fits inside an account."""

LAST_DAY: Final = 2_932_896
"""31 December 9999: the last day that a date can name."""


class Period(NamedTuple):
    """A page of a wallet's movements by booking day, both days included."""

    wallet: int
    first_day: int
    last_day: int
    after: int  # Id of the last row of the page before; 0: the first page.
    rows_max: int

    @property
    def purses(self) -> list[int]:
        """The accounts that the wallet may have, own purse first."""
        return [purse_account(self.wallet, purse) for purse in range(PURSES_MAX + 1)]

    @property
    def is_first(self) -> bool:
        """Whether this page begins the answer."""
        return self.after == 0


class Movements(NamedTuple):
    """One page as of one moment; rows by id, which is the order in which they were booked.

    Balances stand on the first page only: opening before the first day, closing after the last one.
    """

    opening: tuple[PurseAmount, ...]
    closing: tuple[PurseAmount, ...]
    rows: tuple[Transfer, ...]
    has_more: bool


def page_of(
    period: Period,
    opening: tuple[PurseAmount, ...],
    closing: tuple[PurseAmount, ...],
    rows: list[Transfer],
) -> Movements:
    """Make the page of rows that were read one further than it holds."""
    return Movements(opening, closing, tuple(rows[: period.rows_max]), len(rows) > period.rows_max)


def period_of(wallet: int, first_day: int, last_day: int, after: int, rows_max: int) -> Period:
    """Bound what was asked: days to those that exist, rows to ROWS_MAX (0: as many)."""
    wanted = rows_max if 0 < rows_max <= ROWS_MAX else ROWS_MAX
    return Period(
        wallet,
        min(max(first_day, 0), LAST_DAY),
        min(max(last_day, first_day, 0), LAST_DAY),
        max(after, 0),
        wanted,
    )
