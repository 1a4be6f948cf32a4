"""Tables change while payments go on: nobody is refused, and nobody waits behind a migration."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import asyncpg
import pytest
from pydantic import SecretStr

from libs.fakes.ledger import a_purchase, a_reference
from libs.fakes.postgres_ledger import Owner, RealLedger, open_real_ledger
from libs.outcome import Outcome
from libs.pg import MigrationBlocked, migrate
from services.card_ledger.handlers.open_accounts import Opening
from services.card_ledger.main import MIGRATIONS
from services.cli.logins import Logins
from services.cli.tables import bring_forward
from tests.conftest import own_roles_of

pytestmark = pytest.mark.postgres

MakeDatabase = Callable[..., Awaitable[str]]
NOON_MS = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)
PATIENCE_S = 60
WAIT_S_MAX = 3.0
"""Far above the 0.4 s that a migration waits for a lock, far below what a long reader takes."""
COLUMNS = """
    ALTER TABLE card_ledger.batch ADD COLUMN note text;
    ALTER TABLE card_ledger.transfer ADD COLUMN note text;
"""
INDEX = """-- Runs outside of a transaction.
CREATE INDEX CONCURRENTLY account_opened ON card_ledger.account (opened_on);
"""

PROJECT = """
    SELECT sum(card_ledger.project(partition, (partition::bigint << 48) + serial))
      FROM card_ledger.owner WHERE serial > 0
"""


class Till:
    """Sells one thing after the other, and remembers how each sale went."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self.sold = 0
        self.refused = 0
        self.slowest_s = 0.0

    async def run(self) -> None:
        """Sell until cancelled."""
        while True:
            began = monotonic()
            stan = 1 + self.sold + self.refused
            answers = await self._owner.post(a_purchase(a_reference(stan=stan, amount=1)))
            is_paid = Outcome.of(answers[0].outcome) is Outcome.APPROVED
            self.sold += is_paid
            self.refused += not is_paid
            self.slowest_s = max(self.slowest_s, monotonic() - began)

    async def sell_some(self) -> None:
        """Wait until a few more were sold."""
        wanted = self.sold + 5
        async with asyncio.timeout(PATIENCE_S):
            while self.sold < wanted:  # noqa: ASYNC110 -- the till has no event
                await asyncio.sleep(0.005)


@pytest.fixture
async def dsn(make_database: MakeDatabase, tmp_path: Path) -> str:
    """Give a database as it is installed."""
    made = await make_database()
    prefix = own_roles_of(made)["LESKO_POSTGRES__ROLE_PREFIX"]
    logins = Logins(SecretStr(made), {}, tmp_path / "roles", prefix)
    await bring_forward(logins)
    return made


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Give a copy of the ledger's migrations, to which others may be added."""
    return Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations"))


def add(files: Path, name: str, sql: str) -> None:
    """Write the next migration."""
    number = len(list(files.glob("*.sql"))) + 1
    (files / f"{number:04}_{name}.sql").write_text(sql)


@asynccontextmanager
async def selling(dsn: str, roles: Path) -> AsyncIterator[tuple[RealLedger, Till]]:
    """Sell, as the ledger's own role, until the block is left."""
    prefix = own_roles_of(dsn)["LESKO_POSTGRES__ROLE_PREFIX"]
    own = Logins(SecretStr(dsn), {}, roles, prefix).of("card_ledger").get_secret_value()
    async with open_real_ledger(own, now_ms=NOON_MS) as ledger:
        owner = await ledger.own()
        await ledger.open(owner, [Opening(1, 0, 0, None, None, 1_000_000)])
        till = Till(owner)
        task = asyncio.create_task(till.run())
        try:
            await till.sell_some()
            yield ledger, till
            await till.sell_some()
        finally:
            task.cancel()
            await asyncio.wait({task})
        assert task.cancelled(), task.exception()


@asynccontextmanager
async def a_long_reader(dsn: str) -> AsyncIterator[None]:
    """Hold what a report holds that takes its time."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        async with connection.transaction():
            await connection.execute("SELECT count(*) FROM card_ledger.batch")
            yield
    finally:
        await connection.close()


async def columns_of(dsn: str, table: str) -> set[str]:
    """Return the columns of a table of the books."""
    connection = await asyncpg.connect(dsn, timeout=10)
    rows = await connection.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0",
        f"card_ledger.{table}",
    )
    await connection.close()
    return {row[0] for row in rows}


async def test_adds_columns_and_an_index(dsn: str, files: Path, tmp_path: Path) -> None:
    """Every purchase is paid, none waits long, and the books are sound."""
    add(files, "note", COLUMNS)
    add(files, "index", INDEX)
    async with selling(dsn, tmp_path / "roles") as (ledger, till):
        async with asyncio.timeout(PATIENCE_S), ledger.pool.connection() as session:
            before = await session.fetchval(PROJECT)
            applied = await migrate(dsn, "card_ledger", files)
            await till.sell_some()
            after = await session.fetchval(PROJECT)  # What it prepared fits the new tables.
        report = await ledger.verify()

    assert (0, 0) == (before, after)
    assert ["note", "index"] == [each.name for each in applied]
    assert "note" in await columns_of(dsn, "batch")
    assert "note" in await columns_of(dsn, "transfer")
    assert 0 == till.refused
    assert till.slowest_s < WAIT_S_MAX
    assert report.is_clean, report.findings


async def test_gives_up_behind_a_long_reader(dsn: str, files: Path, tmp_path: Path) -> None:
    """Payments go on while it tries, nothing of it stays, and afterwards it goes through."""
    add(files, "note", COLUMNS)
    async with selling(dsn, tmp_path / "roles") as (_, till):
        async with a_long_reader(dsn), asyncio.timeout(PATIENCE_S):
            with pytest.raises(MigrationBlocked, match="did not get its locks in 3 tries"):
                await migrate(dsn, "card_ledger", files, tries=3, pause_ms=20)
            during = till.sold
            await till.sell_some()
        before = await columns_of(dsn, "batch")
        async with asyncio.timeout(PATIENCE_S):
            applied = await migrate(dsn, "card_ledger", files)

    assert during > 5
    assert "note" not in before
    assert 1 == len(applied)
    assert 0 == till.refused
    assert till.slowest_s < WAIT_S_MAX


async def test_waits_for_a_short_reader_and_tries_again(
    dsn: str, files: Path, tmp_path: Path
) -> None:
    """A reader that ends meanwhile only puts it off."""
    add(files, "note", COLUMNS)
    async with selling(dsn, tmp_path / "roles") as (_, till), asyncio.timeout(PATIENCE_S):
        async with a_long_reader(dsn):
            running = asyncio.create_task(migrate(dsn, "card_ledger", files, pause_ms=20))
            await asyncio.wait({running}, timeout=1.0)
            was_done = running.done()
            await till.sell_some()
        applied = await running

    assert not was_done
    assert 1 == len(applied)
    assert 0 == till.refused
