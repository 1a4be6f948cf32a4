"""The registry's table in memory, with an operator who changes it."""

from collections.abc import Sequence

from libs.registry import Entry, entity_of, write_change
from services.admin.ports import RegistryRow


class RegistryTable:
    """RegistryRows and Relay: one admin, so that the turn is always ours."""

    def __init__(self) -> None:
        self._rows: dict[str, RegistryRow] = {}
        self._position = 0
        self._versions: dict[str, int] = {}

    def put(self, *entries: Entry) -> None:
        """Change entities; each gets its next version and the next position."""
        for entry in entries:
            entity = entity_of(entry)
            version = self._versions[entity] = self._versions.get(entity, 0) + 1
            self._position += 1
            record = write_change(entry, version=version, changed_ms=0).SerializeToString()
            self._rows[entity] = RegistryRow(self._position, entity, record)

    async def read_changes(self, *, after: int, rows_max: int) -> Sequence[RegistryRow]:
        """Return the rows changed after a position, in order."""
        rows = sorted(row for row in self._rows.values() if row.position > after)
        return rows[:rows_max]

    async def turn(self, log: str) -> int | None:
        """Give the turn."""
        return 1
