"""``lesko ledger close-day``: the sheet of a day, its totals, and what the exit code says."""

import asyncio
import csv
import errno
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from libs.contracts.accounts import purse_account
from libs.fakes.ledger import a_purchase, a_reference, an_adjustment
from libs.fakes.postgres_ledger import open_real_ledger
from services.card_ledger.handlers.close_day import DayNotOver
from services.card_ledger.handlers.open_accounts import Opening
from services.cli.commands import ledger_close_day
from services.cli.faults import CommandRefused
from services.cli.main import build_app

pytestmark = pytest.mark.postgres

MakeDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]
NOON_MS = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)


async def close(*words: str) -> Result:
    """Run the command."""
    return await asyncio.to_thread(CliRunner().invoke, build_app(), ["ledger", "close-day", *words])


@pytest.fixture
async def dsn(make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch) -> str:
    """Books whose only day, long over, has a purchase and an adjustment."""
    made = await make_database({"card_ledger": Path("services/card_ledger/migrations")})
    async with open_real_ledger(made, now_ms=NOON_MS - 30 * 24 * 3_600_000) as ledger:
        owner = await ledger.own()
        await ledger.open(owner, [Opening(1, 0, 0, None, None, 1_000)])
        day = ledger.today
        await owner.post(a_purchase(a_reference(amount=300, day=day)), an_adjustment(25, day=day))
        await ledger.upkeep.project(range(4), rows_max=100)
    monkeypatch.setenv("LESKO_CARD_LEDGER__POSTGRES__DSN", made)
    return made


def no_room(*_: object) -> tuple[object, ...]:
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, "No space left on device")


def names_in(directory: Path) -> list[str]:
    """What files there are."""
    return sorted(path.name for path in directory.iterdir())


async def tell(dsn: str, sql: str) -> None:
    """Change the books by hand."""
    async with open_real_ledger(dsn, now_ms=NOON_MS) as ledger:
        await ledger.pool.write(sql)


class TestCloseDay:
    async def test_writes_the_sheet(self, dsn: str, tmp_path: Path) -> None:
        """Every account with amounts as spreadsheets in Indonesia read them, to file or screen."""
        out = tmp_path / "day.csv"
        to_file, to_screen = await close("2026-10-25", "--out", str(out)), await close("2026-10-25")
        with out.open(newline="") as text:
            rows = {row["account"]: row for row in csv.DictReader(text, delimiter=";")}
        purse = rows[str(purse_account(1))]

        assert (0, 0) == (to_file.exit_code, to_screen.exit_code), to_file.output
        assert ("purse", "1", "0,00", "3,00", "10,25", "7,25") == tuple(
            purse[name] for name in ("kind", "owner", "opening", "debits", "credits", "closing")
        )
        assert out.read_text() in to_screen.stdout.replace("\r\n", "\n")
        assert "The day closes" in to_file.stderr
        assert ["day.csv"] == names_in(tmp_path)

    async def test_refuses_a_day_that_is_not_over(self, dsn: str, tmp_path: Path) -> None:
        """And leaves no file behind."""
        result = await close("2999-01-01", "--out", str(tmp_path / "day.csv"))

        assert isinstance(result.exception, DayNotOver)
        assert [] == names_in(tmp_path)

    async def test_says_that_the_sheet_cannot_be_written(
        self, dsn: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A full disk or a reader that left is not taken for a database that is away."""
        monkeypatch.setattr(ledger_close_day, "_row", no_room)
        result = await close("2026-10-25")

        assert isinstance(result.exception, CommandRefused)
        assert "No space left" in str(result.exception)

    async def test_names_what_does_not_fit(self, dsn: str, tmp_path: Path) -> None:
        """Exit code 1, and the sheet is not given the name of a good one."""
        await tell(dsn, "UPDATE card_ledger.account SET balance = balance + 1 WHERE floor = 0")
        out = tmp_path / "day.csv"
        result = await close("2026-10-25", "--out", str(out))

        assert 1 == result.exit_code
        assert "its rows say 725 sen, the ledger holds 726" in " ".join(result.stderr.split())
        assert ["day.csv.part"] == names_in(tmp_path)
