"""Show the latest rows of the audit."""

from collections.abc import Sequence

from services.admin.domain.audit import AuditRow
from services.admin.ports import AuditRows


class ReadAudit:
    """What was done and tried, newest first."""

    def __init__(self, rows: AuditRows) -> None:
        self._rows = rows

    async def __call__(
        self, *, entity: str, login: str, before: int, rows_max: int
    ) -> Sequence[AuditRow]:
        """Return rows of an entity and a login (empty: any) below a number (0: from the end)."""
        return await self._rows.latest(entity=entity, login=login, before=before, rows_max=rows_max)
