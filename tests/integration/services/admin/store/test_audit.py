"""The audit in PostgreSQL: nothing changes it by accident, and what does on purpose is named."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from typing import Final

import asyncpg
import pytest

from services.admin.domain.act import Act
from services.admin.domain.audit import GENESIS, AuditHead, AuditRow, row_hash
from services.admin.domain.role import Role
from services.admin.handlers.verify_audit import AuditReport, VerifyAudit
from tests.integration.services.admin.approvals import MakeDatabase, Office, open_office

pytestmark = pytest.mark.postgres

ROWS: Final = 6
MANY: Final = 100_000
MANY_BYTES_MAX: Final = 8 << 20  # All rows together are ten times as much.
OPENED: Final = "ALTER TABLE admin.audit DISABLE TRIGGER USER;"
CLOSED: Final = ";ALTER TABLE admin.audit ENABLE TRIGGER USER"
HEAD_OPENED: Final = "ALTER TABLE admin.audit_head DISABLE TRIGGER USER;"
HEAD_CLOSED: Final = ";ALTER TABLE admin.audit_head ENABLE TRIGGER USER"


@pytest.fixture
async def office(make_database: MakeDatabase) -> AsyncIterator[Office]:
    """Six rows in the audit."""
    async with open_office(make_database) as opened:
        caller = await opened.person("ani", Role.OPERATOR)
        for no in range(1, ROWS + 1):
            await opened.perform(caller, Act("outlet.add", f"outlet/{no}", {"name": "Kios"}))
        yield opened


async def verify(office: Office, *published: AuditHead) -> AuditReport:
    return await VerifyAudit(office.audit)(published)


async def broken(office: Office, *published: AuditHead) -> tuple[int, str]:
    found = (await verify(office, *published)).broken
    assert found is not None
    return found.no, found.problem


class TestAppendOnly:
    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE admin.audit SET login = 'x' WHERE no = 2",
            "UPDATE admin.audit SET login = 'x' WHERE no = 99",
            "DELETE FROM admin.audit WHERE no = 6",
            "TRUNCATE admin.audit",
            "DELETE FROM admin.audit_head",
            "TRUNCATE admin.audit_head",
            "UPDATE admin.audit_head SET no = no - 1",
            "UPDATE admin.audit_head SET hash = decode(repeat('00', 32), 'hex')",
        ],
    )
    async def test_refuses_even_the_owner(self, office: Office, sql: str) -> None:
        """Who owns the table has to switch the triggers off first, on purpose."""
        with pytest.raises(asyncpg.PostgresError, match=r"append-only|one row at a time"):
            await office.tell(sql)

        assert None is (await verify(office)).broken

    async def test_numbers_rows_without_gaps_when_many_write(self, office: Office) -> None:
        """Writers wait for one another, and a transaction that fails leaves no number behind."""
        caller = await office.person("budi", Role.OPERATOR)

        async def fail() -> None:
            async with office.transactions.begin() as work:
                await work.audit.add(caller, Act("outlet.add", "outlet/x", {}), "done", {})
                raise LookupError

        some = (office.perform(caller, Act("outlet.add", f"outlet/{no}", {})) for no in range(20))
        failing = (fail() for _ in range(5))
        await asyncio.gather(*some, *failing, return_exceptions=True)

        report = await verify(office)
        assert (None, ROWS + 20) == (report.broken, report.sound.no)


class TestVerify:
    async def test_finds_it_sound(self, office: Office) -> None:
        """Against its own head and one from outside."""
        head = await office.audit.head()

        assert AuditReport(head, None, 1) == await verify(office, head)
        assert ROWS == head.no

    async def test_names_an_edit(self, office: Office) -> None:
        """One column of one row."""
        await office.tell(f"{OPENED} UPDATE admin.audit SET entity = 'x' WHERE no = 3 {CLOSED}")

        assert (3, "the row was changed: its hash does not fit") == await broken(office)

    async def test_names_a_delete(self, office: Office) -> None:
        """And one that was hidden by new numbers."""
        await office.tell(f"{OPENED} DELETE FROM admin.audit WHERE no = 3 {CLOSED}")
        assert (3, "rows 3 to 3 were taken out") == await broken(office)

        await office.tell(f"{OPENED} UPDATE admin.audit SET no = no - 1 WHERE no > 3 {CLOSED}")
        assert (3, "a row was taken out here and those behind it renumbered") == await broken(
            office
        )

    async def test_names_an_insert(self, office: Office) -> None:
        """Those behind it were moved up by one."""
        await office.tell(
            f"{OPENED} UPDATE admin.audit SET no = no + 100 WHERE no > 2;"
            " UPDATE admin.audit SET no = no - 99 WHERE no > 100;"
            " INSERT INTO admin.audit SELECT 3, at_ms, operator, login, action, 'outlet/put',"
            f" result, content, hash FROM admin.audit WHERE no = 2 {CLOSED}"
        )

        assert (3, "the row was put in") == await broken(office)

    async def test_names_a_reorder(self, office: Office) -> None:
        """Two rows changed places."""
        await office.tell(
            f"{OPENED} UPDATE admin.audit SET no = 99 WHERE no = 3;"
            " UPDATE admin.audit SET no = 3 WHERE no = 4;"
            f" UPDATE admin.audit SET no = 4 WHERE no = 99 {CLOSED}"
        )

        assert (3, "the row was moved here from behind") == await broken(office)

    async def test_names_a_cut_tail(self, office: Office) -> None:
        """By the table's own head; and where that was moved too, by one from outside."""
        published = await office.audit.head()
        await office.tell(f"{OPENED} DELETE FROM admin.audit WHERE no > 4 {CLOSED}")
        cut = (5, f"the tail was cut: rows up to {ROWS} were there")
        assert cut == await broken(office)

        await office.tell(
            f"{HEAD_OPENED} UPDATE admin.audit_head SET no = 4,"
            f" hash = (SELECT hash FROM admin.audit WHERE no = 4) {HEAD_CLOSED}"
        )
        assert None is (await verify(office)).broken
        assert cut == await broken(office, published)

    async def test_names_a_full_rewrite(self, office: Office) -> None:
        """A chain that is sound from the first row to its head, but is not the one published."""
        published = await office.audit.head()
        previous = GENESIS
        await office.tell(f"{OPENED} DELETE FROM admin.audit {CLOSED}")
        for no in range(1, ROWS + 3):
            row = AuditRow(no, 1, 1, "ani", "outlet.add", f"outlet/{no}", "done", "{}")
            previous = row_hash(row, previous)
            await office.tell(
                "INSERT INTO admin.audit VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                *row,
                previous,
            )
        await office.tell(f"{HEAD_OPENED} DELETE FROM admin.audit_head {HEAD_CLOSED}")
        await office.tell(
            "INSERT INTO admin.audit_head (no, hash) VALUES ($1, $2)", ROWS + 2, previous
        )

        assert None is (await verify(office)).broken
        assert (
            ROWS,
            "the chain was rewritten: the head published here differs",
        ) == await broken(office, published)

    async def test_reads_many_rows_in_little_memory(self, office: Office) -> None:
        """A hundred thousand of them, a few thousand at a time."""
        await _fill(office, MANY)
        tracemalloc.start()
        try:
            report = await verify(office)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert (None, MANY) == (report.broken, report.sound.no)
        assert most < MANY_BYTES_MAX


class TestLatest:
    async def test_shows_the_newest_rows_first(self, office: Office) -> None:
        """Of one entity, of one login, below a number."""
        rows = await office.audit.latest(entity="", login="ani", before=0, rows_max=2)
        below = await office.audit.latest(entity="", login="", before=2**62, rows_max=1)
        older = await office.audit.latest(entity="", login="", before=3, rows_max=9)
        one = await office.audit.latest(entity="outlet/2", login="", before=0, rows_max=9)
        none = await office.audit.latest(entity="", login="budi", before=0, rows_max=9)

        assert [6, 5] == [row.no for row in rows]
        assert [6] == [row.no for row in below]
        assert [2, 1] == [row.no for row in older]
        assert ["outlet/2"] == [row.entity for row in one]
        assert [] == none


async def _fill(office: Office, count: int) -> None:
    """Append rows as the chain would, but all at once."""
    head = await office.audit.head()
    previous, records = head.hash, []
    for no in range(head.no + 1, count + 1):
        row = AuditRow(no, 1, 1, "ani", "outlet.add", f"outlet/{no}", "done", '{"a":1}' * 50)
        previous = row_hash(row, previous)
        records.append((*row, previous))
    connection = await asyncpg.connect(office.dsn)
    await connection.copy_records_to_table("audit", schema_name="admin", records=records)
    await connection.execute("ALTER TABLE admin.audit_head DISABLE TRIGGER USER")
    await connection.execute("UPDATE admin.audit_head SET no = $1, hash = $2", count, previous)
    await connection.close()
