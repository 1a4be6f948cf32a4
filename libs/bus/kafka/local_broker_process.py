"""One running broker process: start it, know it again, end it, whoever ends first."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from libs.bus.kafka.local_broker_trouble import LocalBrokerFault, explain

__all__ = ["BrokerProcess", "end_left_over", "launch"]

_LOOK_EVERY_S: Final = 0.02
_READY_SECONDS: Final = 120
_KILLED_SECONDS: Final = 10
_LOG_BYTES_MAX: Final = 16 << 20
_STARTED: Final = b"Kafka Server started"
# The guard holds the reading end of a pipe whose writing end dies with the starter, however that
# dies; then it ends the broker, in order if it can, if the number is still that broker's.
_GUARD: Final = """
    ours() {
        if [ -d /proc/self ]; then grep -qsF -e "$mark" "/proc/$pid/cmdline"
        else ps -o command= -p "$pid" | grep -qF -e "$mark"; fi
    }
    pid="$1" mark="$2"
    read -r _
    ours || exit 0
    kill -TERM "$pid"
    for _ in 1 2 3 4 5 6 7 8 9 10; do sleep 1; ours || exit 0; done
    ours && kill -KILL "$pid"
"""


class BrokerProcess:
    """A broker that we started, and its guard."""

    def __init__(self, root: Path, child: "subprocess.Popen[bytes]") -> None:
        self.pid = child.pid
        self._pid_file = root / "broker.pid"
        self._child = child
        self._guard = _post_guard(child.pid, root)

    def is_running(self) -> bool:
        """Tell whether the process is there."""
        return self._child.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; a broker that has ended hears nothing."""
        self._child.send_signal(number)

    async def end(self, *, seconds: float) -> bool:
        """End it: in order, after ``seconds`` the hard way; tell whether it was in order."""
        self.signal(signal.SIGTERM)
        was_orderly = await self._ended(seconds)
        if not was_orderly:
            await self.kill()
        self.forget()
        return was_orderly

    async def kill(self) -> None:
        """End it at once, as a power cut would; also when it was stopped by SIGSTOP."""
        self.signal(signal.SIGKILL)
        await self._ended(_KILLED_SECONDS)
        self.forget()

    def forget(self) -> None:
        """Dismiss the guard of a process that has ended."""
        if not self._guard.stdin or self._guard.stdin.closed:
            return
        self._pid_file.unlink(missing_ok=True)
        self._guard.communicate()

    async def _ended(self, seconds: float) -> bool:
        for _ in range(round(seconds / _LOOK_EVERY_S)):
            if not self.is_running():
                return True
            await asyncio.sleep(_LOOK_EVERY_S)
        return not self.is_running()


async def launch(root: Path, command: Sequence[str]) -> BrokerProcess:
    """Start the broker and wait until it takes requests; raises LocalBrokerFault."""
    log_file = root / "broker.log"
    process, begin = _spawn(root, command, log_file)
    try:
        said = await _ready(process, log_file, begin)
    except BaseException:
        await process.kill()
        raise
    if not process.is_running():
        process.forget()
        raise LocalBrokerFault(f"Kafka does not start: {explain(said)} Its log is {log_file}.")
    return process


async def end_left_over(root: Path) -> bool:
    """End a broker that outlived the process that started it; tell whether there was one."""
    try:
        pid = int((root / "broker.pid").read_text())
    except (FileNotFoundError, ValueError):
        return False  # None was left, or the machine died while its number was written.
    was_there = _is_broker(pid, root)
    for look in range(round(_KILLED_SECONDS / _LOOK_EVERY_S)):
        if not _is_broker(pid, root):
            break
        if look == 0:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)  # Its starter was killed: nobody waits for order.
        await asyncio.sleep(_LOOK_EVERY_S)
    else:
        raise LocalBrokerFault(f"A broker of an earlier run in {root} does not end.")
    (root / "broker.pid").unlink(missing_ok=True)
    return was_there


async def _ready(process: BrokerProcess, log_file: Path, begin: int) -> str:
    """Return what it said once it has started or has ended."""
    for _ in range(round(_READY_SECONDS / _LOOK_EVERY_S)):
        has_ended = not process.is_running()  # Looked at first: its last words come before.
        with log_file.open("rb") as written:
            written.seek(begin)
            said = written.read()
        if has_ended or _STARTED in said:
            return said.decode(errors="replace")
        await asyncio.sleep(_LOOK_EVERY_S)
    raise LocalBrokerFault(f"Kafka was not ready after {_READY_SECONDS} s; see {log_file}.")


def _spawn(root: Path, command: Sequence[str], log_file: Path) -> tuple[BrokerProcess, int]:
    """Start the process; return it and where in the log it begins to write."""
    try:
        with _open_log(log_file) as log:
            child = subprocess.Popen(  # noqa: S603 -- the Java that find_java has tried
                [command[0], f"-D{_mark(root)}", *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=root,
                start_new_session=True,  # Ctrl-C is for us; we end it in order.
            )
            process = BrokerProcess(root, child)
            (root / "broker.pid").write_text(f"{child.pid}\n")
            return process, log.tell()
    except OSError as error:
        raise LocalBrokerFault(f"{command[0]} does not start: {explain(str(error))}") from error


def _post_guard(pid: int, root: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 -- fixed program
        ["/bin/sh", "-c", _GUARD, "sh", str(pid), _mark(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


def _mark(root: Path) -> str:
    """Return the words among its arguments by which this directory's broker is known."""
    return f"lesko.broker={root}"


def _is_broker(pid: int, root: Path) -> bool:
    mark = f"-D{_mark(root)}".encode()
    if not Path("/proc/self").exists():
        listed = subprocess.run(  # noqa: S603 -- fixed program, a number
            ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False
        )
        return mark in listed.stdout
    try:
        return mark in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False  # Gone.


def _open_log(path: Path) -> BinaryIO:
    """Open the log to append to; a large one is put aside, one such is kept."""
    if path.exists() and path.stat().st_size > _LOG_BYTES_MAX:
        path.replace(path.with_suffix(".log.1"))
    log = path.open("ab")
    log.seek(0, os.SEEK_END)
    return log
