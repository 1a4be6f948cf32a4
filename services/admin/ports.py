"""What the handlers need from the world."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class RegistryRow(NamedTuple):
    """A registry record as it stands in the table."""

    position: int  # Grows with every change, in the order of commits.
    entity: str
    record: bytes  # lesko.v1.RegistryChange.


class RegistryRows(Protocol):
    """The registry's table."""

    async def read_changes(self, *, after: int, rows_max: int) -> Sequence[RegistryRow]:
        """Return the rows changed after a position, in order; raises StoreUnavailable."""


class Relay(Protocol):
    """Whose turn it is to publish; only one process at a time, so that changes keep their order."""

    async def turn(self, log: str) -> int | None:
        """Return the number of our turn at this log, higher each time we got it; None: not ours.

        Raises StoreUnavailable.
        """
