"""Migrations against a real server: once each, in order, one at a time, all or nothing."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from libs.pg import MigrationFault, StoreUnavailable, migrate

pytestmark = pytest.mark.postgres


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write(tmp_path, "0001_coin.sql", "CREATE TABLE shop.coin (id int);")
    write(tmp_path, "0002_note.sql", "CREATE TABLE shop.note (id int); SELECT 1;")
    return tmp_path


def write(directory: Path, name: str, sql: str) -> None:
    (directory / name).write_text(sql)


async def ask(dsn: str, sql: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_applies_in_order_and_once(postgres_dsn: str, directory: Path) -> None:
    """The first run returns what it did, the second does nothing."""
    first = await migrate(postgres_dsn, "shop", directory)
    second = await migrate(postgres_dsn, "shop", directory)

    assert [(1, "coin"), (2, "note")] == [(done.number, done.name) for done in first]
    assert [] == second
    assert 2 == await ask(postgres_dsn, "SELECT count(*) FROM shop.migration")


async def test_applies_only_what_is_new(postgres_dsn: str, directory: Path) -> None:
    """A file that came later is applied alone."""
    await migrate(postgres_dsn, "shop", directory)
    write(directory, "0003_till.sql", "CREATE TABLE shop.till (id int);")

    assert [3] == [done.number for done in await migrate(postgres_dsn, "shop", directory)]


async def test_schemas_do_not_meet(postgres_dsn: str, directory: Path, tmp_path: Path) -> None:
    """Each schema counts for itself."""
    other = tmp_path / "other"
    other.mkdir()
    write(other, "0001_coin.sql", "CREATE TABLE bank.coin (id int);")

    await migrate(postgres_dsn, "shop", directory)

    assert [1] == [done.number for done in await migrate(postgres_dsn, "bank", other)]


async def test_two_at_once_take_turns(postgres_dsn: str, directory: Path) -> None:
    """Of several runs at the same time one applies and the others find it done."""
    runs = await asyncio.gather(*(migrate(postgres_dsn, "shop", directory) for _ in range(4)))

    assert [0, 0, 0, 2] == sorted(len(run) for run in runs)


async def test_a_file_that_changed_is_named(postgres_dsn: str, directory: Path) -> None:
    """What was applied is history."""
    await migrate(postgres_dsn, "shop", directory)
    write(directory, "0001_coin.sql", "CREATE TABLE shop.coin (id bigint);")

    with pytest.raises(MigrationFault, match=r"0001_coin\.sql changed after it was applied"):
        await migrate(postgres_dsn, "shop", directory)


async def test_a_gap_is_named(postgres_dsn: str, directory: Path) -> None:
    """A missing number stops everything before anything is applied."""
    write(directory, "0004_till.sql", "SELECT 1;")

    with pytest.raises(MigrationFault, match="0003 is missing"):
        await migrate(postgres_dsn, "shop", directory)
    assert await ask(postgres_dsn, "SELECT to_regnamespace('shop')") is None


async def test_leaves_a_newer_database_as_it_is(postgres_dsn: str, directory: Path) -> None:
    """What a newer version has added does not stop the one before."""
    await migrate(postgres_dsn, "shop", directory)
    (directory / "0002_note.sql").unlink()

    assert [] == await migrate(postgres_dsn, "shop", directory)


async def test_a_newer_database_that_breaks_this_version_is_named(
    postgres_dsn: str, directory: Path
) -> None:
    """An old program does not touch what a newer one made unusable for it."""
    breaks = "-- The version before does not work with this.\nDROP TABLE shop.coin;"
    write(directory, "0003_no_coin.sql", breaks)
    await migrate(postgres_dsn, "shop", directory)
    (directory / "0003_no_coin.sql").unlink()

    with pytest.raises(MigrationFault, match="newer version"):
        await migrate(postgres_dsn, "shop", directory)


async def test_a_file_that_fails_leaves_nothing(postgres_dsn: str, directory: Path) -> None:
    """Its own statements are undone; the files before it stay applied."""
    write(directory, "0003_till.sql", "CREATE TABLE shop.till (id int); SELECT nonsense;")

    with pytest.raises(MigrationFault, match=r"0003_till\.sql failed.*nonsense"):
        await migrate(postgres_dsn, "shop", directory)
    assert await ask(postgres_dsn, "SELECT to_regclass('shop.till')") is None
    assert 2 == await ask(postgres_dsn, "SELECT max(number) FROM shop.migration")


async def test_a_file_that_commits_is_refused(postgres_dsn: str, directory: Path) -> None:
    """A file may not end the transaction that it runs in."""
    write(directory, "0003_till.sql", "CREATE TABLE shop.till (id int); COMMIT;")

    with pytest.raises(MigrationFault, match="must not hold COMMIT"):
        await migrate(postgres_dsn, "shop", directory)


async def test_a_file_with_another_name_is_named(postgres_dsn: str, directory: Path) -> None:
    """A stray file is not passed over in silence."""
    write(directory, "till.sql", "SELECT 1;")

    with pytest.raises(MigrationFault, match=r"till\.sql is not named like"):
        await migrate(postgres_dsn, "shop", directory)


async def test_a_server_that_is_away_is_unavailable(directory: Path) -> None:
    """Not the files' fault: it can be tried again."""
    with pytest.raises(StoreUnavailable):
        await migrate("postgresql://lesko:x@127.0.0.1:1/lesko", "shop", directory)


async def test_a_file_that_takes_too_long_is_named(
    postgres_dsn: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever locks it holds, payments wait no longer than this, however many statements."""
    monkeypatch.setattr("libs.pg.migrations._FILE_MS", 200)
    sleeps = "SELECT pg_sleep(0.15);" * 20
    write(directory, "0003_till.sql", f"CREATE TABLE shop.till (id int); {sleeps}")

    with pytest.raises(MigrationFault, match=r"0003_till\.sql took longer than 0\.2 s"):
        await migrate(postgres_dsn, "shop", directory)
    assert await ask(postgres_dsn, "SELECT to_regclass('shop.till')") is None


async def test_an_index_that_was_half_built_is_built_again(
    postgres_dsn: str, directory: Path
) -> None:
    """What a concurrent build leaves behind when it fails does not pass for the index."""
    await migrate(postgres_dsn, "shop", directory)
    await ask(postgres_dsn, "INSERT INTO shop.coin VALUES (1), (1) RETURNING id")
    alone = "-- Runs outside of a transaction.\n"
    index = "CREATE UNIQUE INDEX CONCURRENTLY coin_once ON shop.coin (id);"
    write(directory, "0003_once.sql", f"{alone}{index}")
    with pytest.raises(MigrationFault, match="coin_once"):
        await migrate(postgres_dsn, "shop", directory)
    is_valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('shop.coin_once')"
    left = await ask(postgres_dsn, is_valid)
    await ask(postgres_dsn, "DELETE FROM shop.coin RETURNING id")
    applied = await migrate(postgres_dsn, "shop", directory)

    assert left is False
    assert [3] == [each.number for each in applied]
    assert await ask(postgres_dsn, is_valid) is True
