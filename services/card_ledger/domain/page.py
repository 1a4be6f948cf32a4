"""The page of the book that a batch writes in one partition: its day, its time, its numbers."""

from typing import NamedTuple

from services.card_ledger.domain.limit import month_of
from services.card_ledger.domain.transfer import approval_code_of, rrn_of, transfer_id


class InquiryNumber(NamedTuple):
    """Numbers for an answer that stores nothing."""

    rrn: str
    approval_code: str


class Page:
    """Ids and the booking day of one batch. Rows decided on it are stored together or not at all.

    ``day`` never goes back in a partition, whatever the clock does (DESIGN 6, Days).
    """

    def __init__(self, *, partition: int, serial: int, day: int, now_ms: int) -> None:
        self.partition = partition
        self.serial = serial
        self.day = day
        self.month = month_of(day)
        self.now_ms = now_ms
        self._inquiries = 0

    def next_id(self) -> int:
        """Return the next row's id."""
        self.serial += 1
        return transfer_id(self.partition, self.serial)

    def next_inquiry(self) -> InquiryNumber:
        """Return numbers drawn from the clock: an inquiry is nowhere stored."""
        self._inquiries += 1
        number = transfer_id(self.partition, self.now_ms * 8 + self._inquiries)
        return InquiryNumber(rrn_of(number), approval_code_of(number))
