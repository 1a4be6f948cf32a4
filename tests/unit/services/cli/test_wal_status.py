"""The note of the archive: what the doctor reads of it."""

from pathlib import Path

from libs.fakes.clock import FixedClock
from services.cli.settings import Settings
from services.cli.wal_status import noting, spool_of, wal_problem


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
