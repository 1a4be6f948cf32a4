"""The note of the archive: what the doctor reads of it."""

from datetime import UTC, datetime
from pathlib import Path

from libs.fakes.clock import FixedClock
from libs.pg.base_manifest import MANIFEST_FILE, Base, write_manifest
from libs.pg.lineage import Lineage
from libs.vault import BackupKey, make_backup_key, read_backup_key
from services.cli.settings import BackupPart, Settings
from services.cli.store.log_state import LogState
from services.cli.wal_status import base_problem, noting, spool_of, wal_problem


def test_tells_what_is_wrong_and_that_nobody_is_there(tmp_path: Path) -> None:
    """No note, a good one, a bad one, and one that has grown old."""
    settings, clock = Settings(home=tmp_path), FixedClock(1_000_000)
    spool_of(settings).mkdir()
    heard: list[str | None] = []
    note = noting(settings, clock, heard.append)

    none = wal_problem(settings, clock.now_ms())
    note(None)
    good = wal_problem(settings, clock.now_ms())
    note("the disk is full")
    bad = wal_problem(settings, clock.now_ms())
    note(None)
    clock.advance(61_000)
    old = wal_problem(settings, clock.now_ms())
    note(None)
    fresh = wal_problem(settings, clock.now_ms())

    assert [None, "the disk is full", None, None] == heard
    assert (None, "the disk is full", None) == (good, bad, fresh)
    assert none == old
    assert "lesko backup wal" in str(old)


def a_base(directory: Path, key: BackupKey, made_at_ms: int, lineage: Lineage) -> None:
    """Leave a base backup as its manifest tells of it."""
    folder = directory / f"base-{made_at_ms}"
    folder.mkdir(parents=True)
    made_at = datetime.fromtimestamp(made_at_ms / 1_000, UTC)
    base = Base(folder, made_at, "000000010000000000000002", 1, "ab", key.id, lineage)
    write_manifest(folder / MANIFEST_FILE, base, key)


def test_tells_when_the_base_backup_is_no_use(tmp_path: Path) -> None:
    """No key, none at all, one that is old, one of another server, and a good one."""
    settings = Settings(home=tmp_path, backup=BackupPart(directory=tmp_path / "b"))
    now_ms, day_ms = 1_800_000_000_000, 86_400_000
    ours = LogState(7, 1, slot_is_active=True, kept_bytes=0)
    no_key = base_problem(settings, now_ms, ours)
    settings.backup_key_file.parent.mkdir(parents=True)
    make_backup_key(settings.backup_key_file)
    key = read_backup_key(settings.backup_key_file)
    none = base_problem(settings, now_ms, ours)
    a_base(tmp_path / "b", key, now_ms, Lineage(7, 1))
    good = base_problem(settings, now_ms + 8 * day_ms - 1, ours)
    old = base_problem(settings, now_ms + 8 * day_ms, ours)
    restored = base_problem(settings, now_ms, ours._replace(timeline=2))
    other = base_problem(settings, now_ms, ours._replace(system=8))
    archive = tmp_path / "b" / "wal"
    archive.mkdir()
    for number in (2, 4):
        (archive / f"0000000100000000{number:08X}.sealed").touch()
    hole = base_problem(settings, now_ms, ours)

    assert "backup.key" in str(no_key)
    assert "holds no base backup" in str(none)
    assert good is None
    assert "8 days old: run lesko backup" in str(old)
    assert ["of another server" in str(each) for each in (restored, other)] == [True, True]
    assert "lacks 1 files from 0/3" in str(hole)
    assert base_problem(Settings(home=tmp_path), now_ms, ours) is None
