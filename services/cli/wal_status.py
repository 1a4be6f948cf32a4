"""What ``lesko doctor`` learns of backups: the archive's note, base backups, what is kept."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from libs.clock import Clock
from libs.outcome import Fault
from libs.pg.archive import WalArchive
from libs.pg.backup import find_bases
from libs.vault import read_backup_key
from services.cli.settings import Settings
from services.cli.store.log_state import LogState

_FILE: Final = ".status.json"
_EVERY_MS: Final = 10_000
_OLD_MS: Final = 60_000
_DAY_MS: Final = 86_400_000
_BASE_DAYS_MAX: Final = 8  # One a week, and a day's grace.
_RUN: Final = "run lesko backup"

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


def base_problem(settings: Settings, now_ms: int, state: LogState | None) -> str | None:
    """Return why the database could not be brought back from the newest base backup; None: it can.

    ``state`` is what the server says of itself; None: it was not asked.
    """
    directory = settings.backup.directory
    if directory is None:
        return None
    try:
        key = read_backup_key(settings.backup_key_file)
        bases = find_bases(directory, key)
        if not bases:
            return f"{directory} holds no base backup, without which the log is no use: {_RUN}"
        newest = bases[-1]
        of_it = (newest.lineage.system, newest.lineage.timeline)
        if state is not None and of_it != (state.system, state.timeline):
            return (
                f"{directory} holds backups of another server, or of this one before it was"
                " restored: let LESKO_BACKUP__DIRECTORY name an empty one, then run lesko backup"
            )
        days = (now_ms - int(newest.made_at.timestamp() * 1_000)) // _DAY_MS
        if days >= _BASE_DAYS_MAX:
            return f"the newest base backup is {days} days old: {_RUN}"
        if missing := WalArchive(directory, key).reach(newest.first_segment).missing:
            return f"the log lacks {len(missing)} files from {missing[0]} on: {_RUN}"
    except (Fault, OSError) as trouble:
        return str(trouble)
    return None


def slot_problem(state: LogState) -> str | None:
    """Return what a server keeps for an archive that nobody writes; None: nothing."""
    if state.slot_is_active is not False:
        return None
    return (
        f"the server keeps {state.kept_bytes // 1_000_000} MB of its log, and ever more, for an"
        " archive that nobody writes: archive again (lesko run with LESKO_BACKUP__DIRECTORY, or"
        " lesko backup wal), or give it up by lesko backup --stop"
    )
