"""The disk is full, the database's or the log's: silence or business as usual, never a crash."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.e2e.full_machine import full_machine
from tests.e2e.process import a_lesko
from tests.mounts import may_mount

pytestmark = [pytest.mark.e2e, pytest.mark.postgres]

OpenDirectory = Callable[[], AbstractContextManager[Path]]


@pytest.mark.skipif(not may_mount(), reason="mounting needs root and namespaces")
def test_a_full_disk_stops_nobody_for_good(open_directory: OpenDirectory) -> None:
    """Red and silent while nothing can be stored, one process all the time, then all is well.

    A full disk of the log alone is red too, but purchases are answered: they stand in the books.
    """
    with open_directory() as disk, a_lesko(disk) as lesko:
        story = full_machine(lesko)

    assert story.red.keys() & {"database", "card_ledger.projection", "card_ledger.commands"}
    assert "No space left on device" in " ".join(story.red.values())
    assert story.silent > 0
    assert "00" == story.healed
    assert "log lines cannot be written" in story.red_log["log"]
    assert "00" == story.without_log
    assert story.is_one_process
    assert story.is_clean
    assert story.is_ready
    assert "log_lines_lost" in story.log_tail
    assert 0 == story.code
