"""One running PostgreSQL: start it, know it again, end it; which and where is decided elsewhere."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from libs.pg.faults import ServerFault
from libs.pg.place import ENVIRONMENT, Place, belong
from libs.pg.trouble import explain

__all__ = ["Postmaster", "clear_foreign_pid", "find_running", "launch", "stop"]

_LOOK_EVERY_S: Final = 0.02
_QUIT_SECONDS: Final = 5
_READY_SECONDS: Final = 600  # Replaying the log after a crash takes time.
_PATIENCE_SECONDS: Final = 5  # After which people are told why it takes time.
_LOG_BYTES_MAX: Final = 16 << 20
# The guard holds the reading end of a pipe whose writing end dies with the supervisor, however
# that dies; then it ends the server, if that is still the one it was given.
_GUARD: Final = """
    read -r _
    if [ "$(head -n 1 "$2" 2>/dev/null)" = "$1" ]; then kill -INT "$1"; fi
"""

_IS_ANYBODY_THERE: Final = """
    for process in /proc/[0-9]*; do
        if [ "$process/cwd" -ef "$1" ]; then exit 0; fi
    done
    exit 3
"""
_NOBODY: Final = 3


class _PidFile(NamedTuple):
    """postmaster.pid, as PostgreSQL documents it in miscadmin.h."""

    pid: int
    port: int
    status: str  # "starting", "ready", "stopping" or "standby".


class Postmaster:
    """A server that runs, ours by birth or by adoption."""

    def __init__(
        self, place: Place, pid: int, port: int, child: "subprocess.Popen[bytes] | None"
    ) -> None:
        self.pid = pid
        self.port = port
        self._place = place
        self._child = child
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def is_adopted(self) -> bool:
        """Tell whether another process started it."""
        return self._child is None

    def is_running(self) -> bool:
        """Tell whether the process is there and still the server of this data directory."""
        if self._child is not None:
            return self._child.poll() is None
        return _serves(self.pid, self._place.data)

    def status(self) -> str:
        """Return what postmaster.pid says now; empty when it is not this process's file."""
        file = _read_pid_file(self._place.data)
        return file.status if file and file.pid == self.pid else ""

    def guard(self) -> None:
        """Have the server end when this process ends, in whatever way."""
        self._guard = subprocess.Popen(  # noqa: S603 -- fixed program
            ["/bin/sh", "-c", _GUARD, "sh", str(self.pid), self._place.data / "postmaster.pid"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
            **self._place.credentials,
        )

    def dismiss_guard(self) -> None:
        """End the guard; call it only once the server has ended."""
        if self._guard is not None:
            self._guard.communicate()
            self._guard = None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; a server that has ended hears nothing."""
        if self._child is not None:
            self._child.send_signal(number)
        elif self.is_running():
            os.kill(self.pid, number)


def find_running(place: Place) -> Postmaster | None:
    """Return the server that already runs in the data directory, in whatever state."""
    file = _read_pid_file(place.data)
    if file is None or not _serves(file.pid, place.data):
        return None
    return Postmaster(place, file.pid, file.port, None)


def clear_foreign_pid(place: Place) -> None:
    """Remove a postmaster.pid whose number now belongs to some other program.

    PostgreSQL itself clears one whose process is gone, but takes any living process of its own
    user for a server. Nothing is removed while any process works in the data directory.
    """
    file = _read_pid_file(place.data)
    if file is None or not Path(f"/proc/{file.pid}").exists():
        return
    asked = subprocess.run(  # noqa: S603 -- fixed program
        ["/bin/sh", "-c", _IS_ANYBODY_THERE, "sh", place.data],
        cwd="/",
        check=False,
        stderr=subprocess.DEVNULL,
        **place.credentials,  # A user may look into all processes of its own.
    )
    if asked.returncode == _NOBODY:
        (place.data / "postmaster.pid").unlink(missing_ok=True)


async def launch(
    place: Place, program: Path, port: int, report: Callable[[str], None]
) -> Postmaster:
    """Start the server and wait until it takes connections; raises ServerFault."""
    child, start = _spawn(place, program, port)
    server = Postmaster(place, child.pid, port, child)
    server.guard()
    try:
        await _ready(server, report)
    except BaseException:
        await stop(server, seconds=_QUIT_SECONDS)
        raise
    if not server.is_running():
        server.dismiss_guard()
        with place.log.open("rb") as written:
            written.seek(start)
            said = written.read().decode(errors="replace")
        raise ServerFault(f"PostgreSQL does not start: {explain(said)} Its log is {place.log}.")
    return server


async def stop(server: Postmaster, *, seconds: float) -> bool:
    """End the server: fast shutdown, after ``seconds`` the hard way; tell whether it was fast.

    After the hard way the next start replays the log; nothing that was committed is lost.
    """
    server.signal(signal.SIGINT)
    was_fast = await _ended(server, seconds)
    if not was_fast:
        server.signal(signal.SIGQUIT)
        if not await _ended(server, _QUIT_SECONDS):
            server.signal(signal.SIGKILL)
            await _ended(server, _QUIT_SECONDS)
    server.dismiss_guard()
    return was_fast


async def _ready(server: Postmaster, report: Callable[[str], None]) -> None:
    """Return once the server is ready or has ended."""
    for look in range(round(_READY_SECONDS / _LOOK_EVERY_S)):
        if server.status() == "ready" or not server.is_running():
            return
        if look == round(_PATIENCE_SECONDS / _LOOK_EVERY_S):
            report("PostgreSQL replays its log after a crash; this can take minutes.")
        await asyncio.sleep(_LOOK_EVERY_S)
    raise ServerFault(f"PostgreSQL was not ready after {_READY_SECONDS} s.")


async def _ended(server: Postmaster, seconds: float) -> bool:
    for _ in range(round(seconds / _LOOK_EVERY_S)):
        if not server.is_running():
            return True
        await asyncio.sleep(_LOOK_EVERY_S)
    return not server.is_running()


def _spawn(place: Place, program: Path, port: int) -> "tuple[subprocess.Popen[bytes], int]":
    """Start the process; return it and where in the log it begins to write."""
    try:
        with _open_log(place) as log:
            child = subprocess.Popen(  # noqa: S603 -- a program that find_binaries has tried
                [program, "-D", place.data, "-p", str(port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=place.home,
                env=ENVIRONMENT,
                start_new_session=True,  # Ctrl-C is for us; we end it in order.
                **place.credentials,
            )
            return child, log.tell()
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerFault(f"{program} does not start: {explain(str(error))}") from error


def _read_pid_file(data: Path) -> _PidFile | None:
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        status = lines[7].strip() if len(lines) > 7 else "starting"  # noqa: PLR2004 -- line 8
        return _PidFile(abs(int(lines[0])), int(lines[3]), status)
    except (FileNotFoundError, IndexError, ValueError):
        return None  # None there, or one that was being written when the machine died.


def _serves(pid: int, data: Path) -> bool:
    """Tell whether a process is alive and the server of this data directory."""
    process = Path(f"/proc/{pid}")
    try:
        if not Path("/proc/self").exists():
            return os.fsencode(data) in _listed(pid)
        try:
            return (process / "cwd").samefile(data)  # Every server works in its data directory.
        except PermissionError:  # Root in a container may not look, but may read the arguments.
            return os.fsencode(data) in (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False  # Gone.


def _listed(pid: int) -> list[bytes]:
    """Return a process's arguments where there is no /proc."""
    listed = subprocess.run(  # noqa: S603 -- fixed program, a number
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False
    )
    return listed.stdout.split()


def _open_log(place: Place) -> BinaryIO:
    """Open the log to append to; a large one is put aside, one such is kept."""
    if place.log.exists() and place.log.stat().st_size > _LOG_BYTES_MAX:
        place.log.replace(place.log.with_suffix(".log.1"))
    handle = os.open(place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    belong(place.log, place.root)
    log = os.fdopen(handle, "ab")
    log.seek(0, os.SEEK_END)
    return log
