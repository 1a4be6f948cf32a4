"""What is already known of a business key, from the tables or from earlier in the batch."""

from collections.abc import Sequence
from typing import NamedTuple

from libs.outcome import Outcome
from services.card_ledger.domain.command import Reference
from services.card_ledger.domain.kinds import REVERSAL_LEG, TransferKind
from services.card_ledger.domain.transfer import Transfer


class StoredKey(NamedTuple):
    """All rows of one key: the original's legs and, if any, those of its reversal."""

    original: tuple[Transfer, ...]
    reversal: tuple[Transfer, ...]

    @classmethod
    def of(cls, rows: Sequence[Transfer]) -> "StoredKey":
        """Sort a key's rows into original and reversal, legs in order."""
        ordered = sorted(rows, key=lambda row: row.leg)
        return cls(
            tuple(row for row in ordered if row.leg < REVERSAL_LEG),
            tuple(row for row in ordered if row.leg >= REVERSAL_LEG),
        )

    @property
    def first(self) -> Transfer:
        """The original's first leg."""
        return self.original[0]

    @property
    def is_tombstone(self) -> bool:
        """Whether a reversal came before any original."""
        return self.first.kind == TransferKind.TOMBSTONE

    @property
    def is_approved(self) -> bool:
        """Whether the original moved money."""
        return not self.is_tombstone and self.first.outcome == Outcome.APPROVED.number

    def same_purchase(self, reference: Reference) -> bool:
        """Whether a repeat carries the same content (edc.md, Keys), field by field."""
        first = self.first
        return (
            self.same_card_and_amount(reference)
            and first.processing_code == reference.processing_code
            and first.outlet == reference.outlet
            and (
                not first.rrn_sent or not reference.rrn_sent or first.rrn_sent == reference.rrn_sent
            )
        )

    def same_card_and_amount(self, reference: Reference) -> bool:
        """Whether a reversal means this purchase."""
        return (
            self.first.card_token == reference.card_token and self.first.asked == reference.amount
        )
