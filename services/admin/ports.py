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
