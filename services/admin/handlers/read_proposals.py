"""Show what waits for a second person, and what became of what did."""

from collections.abc import Sequence

from services.admin.domain.proposal import Proposal
from services.admin.ports import Transactions


class ReadProposals:
    """Proposals as they stand, without holding anybody up."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def latest(self, *, is_open: bool, rows_max: int) -> Sequence[Proposal]:
        """Return the latest proposals, newest first; with ``is_open`` only those that wait."""
        async with self._transactions.begin() as work:
            return await work.proposals.list(is_open=is_open, rows_max=rows_max)

    async def one(self, number: int) -> Proposal | None:
        """Return a proposal, None when there is none of this number."""
        async with self._transactions.begin() as work:
            return await work.proposals.show(number)
