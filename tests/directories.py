"""Directories of tests that start servers: every user reaches them, and none outlives its run."""

import fcntl
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

IN_USE = "in_use"
STALE_SECONDS = 24 * 3600


@contextmanager
def open_directory(prefix: str) -> Iterator[Path]:
    """Make a directory in the system's place for such, and remove it afterwards."""
    directory = Path(tempfile.mkdtemp(prefix=prefix))
    directory.chmod(0o755)
    fresh = directory / f"{IN_USE}.new"
    with fresh.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fresh.rename(directory / IN_USE)  # Only once it is held can others find it.
        try:
            yield directory
        finally:
            shutil.rmtree(directory)


def remove_stale(prefix: str, end_server: Callable[[Path], None]) -> None:
    """Remove what killed runs left; ``end_server`` first ends a server that works in there."""
    for stale in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(OSError):  # Another user's, gone meanwhile, or of a run that lives.
            if (stale / IN_USE).exists():
                with (stale / IN_USE).open("r+") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    end_server(stale)
                    shutil.rmtree(stale)
            elif time.time() - stale.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(stale)
