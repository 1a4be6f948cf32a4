"""Hold all leases for a piece of work that must not meet a ledger that serves."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from libs.outcome import Fault
from services.card_ledger.ports import Leases, OwnedPartition


class LeaseHeld(Fault):
    """The books are being served by another process."""


@asynccontextmanager
async def hold_leases(
    leases: Leases, holder: str, *, purpose: str
) -> AsyncIterator[Sequence[OwnedPartition]]:
    """Hold all leases while the block runs and give them back after it; raises LeaseHeld.

    ``purpose`` ends the sentence "stop it, then ..."; leases of a block that failed are left to
    the end of their connection.
    """
    owned = await leases.take(holder)
    if not owned:
        holders = ", ".join(await leases.holders())
        message = f"The books are being served by {holders}; stop it, then {purpose}."
        raise LeaseHeld(message)
    yield owned
    await leases.give_back({one.partition: one.epoch for one in owned})
