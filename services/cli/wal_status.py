"""The note that whoever archives the server's log leaves for ``lesko doctor``."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from libs.clock import Clock
from services.cli.settings import Settings

_FILE: Final = ".status.json"
_EVERY_MS: Final = 10_000
_OLD_MS: Final = 60_000

Report = Callable[[str | None], None]


def spool_of(settings: Settings) -> Path:
    """Return where the log is received before it is sealed."""
    return settings.home.absolute() / "wal-spool"


def noting(settings: Settings, clock: Clock, report: Report) -> Report:
    """Return a report that also leaves the note, when it changes and every ten seconds."""
    path = spool_of(settings) / _FILE
    noted: list[tuple[str | None, int]] = []

    def note(problem: str | None) -> None:
        report(problem)
        now_ms = clock.monotonic_ms()
        if noted and noted[-1][0] == problem and now_ms - noted[-1][1] < _EVERY_MS:
            return
        noted[:] = [(problem, now_ms)]
        fresh = path.with_suffix(".new")
        with suppress(OSError):  # An old note says the same.
            fresh.write_text(json.dumps({"at_ms": clock.now_ms(), "problem": problem}))
            fresh.replace(path)

    return note


def wal_problem(settings: Settings, now_ms: int) -> str | None:
    """Return why the server's log is not archived now, as the note tells it; None: it is."""
    try:
        note = json.loads((spool_of(settings) / _FILE).read_text())
        problem, at_ms = note["problem"], int(note["at_ms"])
    except (OSError, ValueError, KeyError, TypeError):
        problem, at_ms = None, 0
    if problem is not None:
        return str(problem)
    if abs(now_ms - at_ms) > _OLD_MS:
        return "nobody archives the server's log: lesko run does, else lesko backup wal"
    return None
