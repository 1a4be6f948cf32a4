"""Walking the audit's chain: what is reported, and that two walks wait for one another."""

from libs.fakes.admin import MemoryTransactions
from libs.fakes.operators import a_caller
from services.admin.domain.act import Act
from services.admin.domain.audit import AuditHead
from services.admin.domain.role import Role
from services.admin.handlers.read_audit import ReadAudit
from services.admin.handlers.verify_audit import VerifyAudit


async def written(rows: int) -> MemoryTransactions:
    tables = MemoryTransactions()
    async with tables.begin() as work:
        for no in range(rows):
            act = Act("outlet.add", f"outlet/{no}", {})
            await work.audit.add(a_caller(Role.OPERATOR), act, "done", {})
    return tables


class TestVerifyAudit:
    async def test_reports_where_a_sound_chain_ends(self) -> None:
        """And with how many heads from outside it was compared."""
        tables = await written(3)
        head = await tables.head()

        report = await VerifyAudit(tables)([head])

        assert (head, None, 1) == report

    async def test_reports_the_first_break(self) -> None:
        """What came before it is sound."""
        tables = await written(3)
        row, stored = tables._tables.audit[1]
        tables._tables.audit[1] = row._replace(login="somebody"), stored

        report = await VerifyAudit(tables)()

        assert report.broken is not None
        assert (1, 2) == (report.sound.no, report.broken.no)

    async def test_compares_with_heads_from_outside(self) -> None:
        """A chain that is sound in itself is not, when a published head is missing in it."""
        tables = await written(3)

        report = await VerifyAudit(tables)([AuditHead(9, bytes(32))])

        assert report.broken is not None
        assert 4 == report.broken.no


class TestReadAudit:
    async def test_shows_the_latest_rows_of_an_entity(self) -> None:
        """Newest first."""
        tables = await written(3)
        read = ReadAudit(tables)

        rows = await read(entity="", login="operator1", before=3, rows_max=9)
        one = await read(entity="outlet/2", login="", before=0, rows_max=9)

        assert [2, 1] == [row.no for row in rows]
        assert [3] == [row.no for row in one]
