"""Ends what a stack has started when the program that started it was killed itself."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

# The guard holds the reading end of a pipe whose writing end dies with us, however we die. Ours
# are known by what their environment says, so that no number can have become somebody else's.
# PostgreSQL has a guard of its own, which a stopped server would not hear.
_GUARD: Final = """
    read -r _
    for process in /proc/[0-9]*; do
        pid="${process#/proc/}"
        if { tr '\\0' '\\n' < "$process/environ" | grep -qxF -e "$1"; } 2>/dev/null; then
            kill -KILL "$pid" 2>/dev/null
        elif [ -n "$2" ] && [ "$process/cwd" -ef "$2" ]; then
            kill -CONT "$pid" 2>/dev/null
        fi
    done
"""


@contextmanager
def guarded(mark: str, data_directory: Path | None) -> Iterator[None]:
    """Until the block is left: should we die, processes with ``mark`` in their environment end.

    ``mark`` is a whole assignment, ``NAME=value``. Processes that work in ``data_directory`` are
    woken, should they be stopped.
    """
    guard = subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "sh", mark, str(data_directory or "")],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"PATH": os.defpath},
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.kill()  # Before its pipe closes: nothing is left for it to do.
        guard.communicate()
