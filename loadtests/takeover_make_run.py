"""``make run`` in this clone as a newcomer calls it: into an empty home, then once more."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from loadtests.commands import CommandFailed
from loadtests.fleet import Fleet, today
from loadtests.takeover_process import Instance, ms_between
from loadtests.takeover_terminals import Knocker
from loadtests.takeover_trials import moments_ms

FIRST: Final = "make run, first time"
NEXT: Final = "make run, again"
UP: Final = "The switch is up."
CARDS, OUTLETS = 1_000, 50  # What `lesko run` fills by itself.

Tell = Callable[[str], None]


async def measure_make_run(clone: Path, work: Path, tell: Tell) -> list[dict[str, Any]]:
    """Start twice, the first time with nothing there; return the moments of both."""
    need_installed(clone)
    home = work / "newcomer"
    home.mkdir()
    fleet = Fleet(OUTLETS, today())
    try:
        return [await _start(name, clone, home, fleet, tell) for name in (FIRST, NEXT)]
    finally:
        _clear(home)


def need_installed(clone: Path) -> None:
    """Raise ``CommandFailed`` where ``make run`` would have to install first."""
    stamp = clone / ".venv" / "lesko-installed.json"
    try:
        json.loads(stamp.read_text())
    except (OSError, ValueError):
        message = f"{clone} is not installed: run make setup there, or leave make run out"
        raise CommandFailed(message) from None


async def _start(name: str, clone: Path, home: Path, fleet: Fleet, tell: Tell) -> dict[str, Any]:
    instance = Instance(
        ["make", "run"], {"LESKO_HOME": str(home)}, log=home.parent / "newcomer.log", cwd=clone
    )
    try:
        began_ns = await instance.start()
        moments = await moments_ms(instance, Knocker(fleet, CARDS), began_ns)
        shown_ns = await instance.until_said(UP)
    finally:
        await instance.end()
    tell(f"  {name:28} ready {moments['ready_ms']:8,.0f} ms")
    return {"name": name, **moments, "shown_ms": ms_between(began_ns, shown_ns)}


def _clear(home: Path) -> None:
    """Remove the data, also those that PostgreSQL's user could not keep in the home."""
    marker = home / "postgres" / "placed_elsewhere"
    if marker.exists():
        shutil.rmtree(marker.read_text().strip(), ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)
