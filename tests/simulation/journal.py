"""The edge's journal in a simulation: only what must not happen is remembered."""

from services.iso_bridge.ports import MoneyLine


class JournalBroken(AssertionError):
    """The edge's own code failed."""


class Journal:
    """Fits the edge's port."""

    def read(self, operation: str) -> None:
        """Not of interest."""

    def money(self, line: MoneyLine) -> None:
        """Not of interest."""

    def network(self, action: str, de39: str) -> None:
        """Not of interest."""

    def dropped(self, reason: str) -> None:
        """Not of interest."""

    def silent(self, reason: str) -> None:
        """Not of interest."""

    def closed(self, reason: str) -> None:
        """Not of interest."""

    def flooding(self, terminal: str) -> None:
        """Not of interest."""

    def failed(self, what: str, fault: Exception) -> None:
        """Break the seed."""
        raise JournalBroken(what) from fault
