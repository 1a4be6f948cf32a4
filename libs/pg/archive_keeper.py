"""Keep an archive up to date: receive the server's log as it is written, and seal what came.

PostgreSQL's pg_receivewal does the receiving, from a server of our own and from any other alike: it
needs a role with REPLICATION, and neither settings nor files of the server. An archive_command
would run as the server's user, who must not read the key, and only where we may change settings.
"""

import asyncio
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from libs.clock import Clock
from libs.outcome import Fault
from libs.pg.archive import WalArchive, is_segment, timeline_of
from libs.pg.faults import ServerFault
from libs.pg.lineage import Lineage, history_of, need_same, system_of
from libs.pg.place import ENVIRONMENT
from libs.pg.replication import open_environment, place_of
from libs.pg.trouble import explain

__all__ = ["SLOT", "drop_slot", "keep_archive"]

SLOT: Final = "lesko_backup"
_LOOK_S: Final = 1.0
_AGAIN_S: Final = 2.0
_PARTIAL_EVERY_MS: Final = 30_000
_END_S: Final = 5
_SLOT_S: Final = 30
_HEAD_BYTES: Final = 32
# Ends the receiver when the process that started it is gone, however that went.
_GUARD: Final = 'read -r _; kill "$1" 2>/dev/null'

Report = Callable[[str | None], None]


async def keep_archive(
    dsn: SecretStr,
    archive: WalArchive,
    spool: Path,
    clock: Clock,
    *,
    program: Path,
    report: Report,
) -> None:
    """Receive and seal until cancelled; ``report`` hears each look what is wrong, None: nothing.

    The server keeps what was not received (a replication slot holds it), ``spool`` what was not
    sealed yet: trouble on either side loses nothing and is caught up with. The archive is of one
    server on one timeline; the log of another, or of this one after a restore, is not put there.
    """
    sealer = _Sealer(archive, spool, clock)
    with open_environment(dsn, spool) as environment:
        receiver = _Receiver(program, place_of(dsn), spool, environment)
        try:
            while True:
                problem = await asyncio.to_thread(receiver.look)
                problem = await asyncio.to_thread(sealer.look) or problem
                report(problem)
                await asyncio.sleep(_AGAIN_S if problem else _LOOK_S)
        finally:
            await asyncio.to_thread(receiver.end)
            await asyncio.to_thread(sealer.finish)


def drop_slot(dsn: SecretStr, spool: Path, *, program: Path) -> None:
    """Let the server throw away what it keeps for the archive; raises ServerFault."""
    with open_environment(dsn, spool) as environment:
        place = f"--dbname={place_of(dsn)}"
        _run([program, place, f"--slot={SLOT}", "--no-password", "--drop-slot"], environment)


def _run(command: list[str | Path], environment: dict[str, str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603 -- a program that find_binaries has tried
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False,
            timeout=_SLOT_S,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as trouble:
        raise ServerFault(str(trouble)) from None
    if done.returncode != 0:
        raise ServerFault(explain(done.stderr.decode(errors="replace")))


class _Receiver:
    """pg_receivewal, started again whenever it has ended."""

    def __init__(self, program: Path, place: str, spool: Path, environment: dict[str, str]) -> None:
        self._base: list[str | Path] = [
            program,
            f"--dbname={place}",
            f"--slot={SLOT}",
            "--no-password",
        ]
        self._spool = spool
        self._environment = environment
        self._said = spool / ".receiver.log"
        self._child: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._has_slot = False

    def look(self) -> str | None:
        """See that it runs; return why it does not."""
        if self._child is not None and self._child.poll() is None:
            return None
        problem = None
        if self._child is not None:
            problem = f"the server's log is not received: {explain(self._last_words())}"
            self._let_go()
        try:
            if not self._has_slot:
                self._make_slot()
            self._start()
        except (ServerFault, OSError, subprocess.SubprocessError) as trouble:
            return f"the server's log is not received: {trouble}"
        return problem

    def end(self) -> None:
        """End it; what it has received stays."""
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        self._let_go()

    def _make_slot(self) -> None:
        _run([*self._base, "--create-slot", "--if-not-exists"], self._environment)
        self._has_slot = True

    def _start(self) -> None:
        with self._said.open("wb") as said:
            self._child = subprocess.Popen(  # noqa: S603 -- as above
                [*self._base, f"--directory={self._spool}", "--no-loop", "--status-interval=5"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,  # Ctrl-C is for us; we end it in order.
            )
        self._guard = subprocess.Popen(  # noqa: S603 -- fixed program
            ["/bin/sh", "-c", _GUARD, "sh", str(self._child.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            start_new_session=True,
        )

    def _let_go(self) -> None:
        guard, self._guard, self._child = self._guard, None, None
        if guard is not None:
            guard.kill()
            guard.communicate()

    def _last_words(self) -> str:
        """Return what it wrote, without the word with which it ends in any case."""
        with suppress(OSError):
            lines = self._said.read_text(errors="replace").splitlines()
            telling = [line for line in lines if not line.endswith("disconnected")]
            return "\n".join(telling or lines)
        return ""


class _Sealer:
    """Moves finished files of the spool into the archive."""

    def __init__(self, archive: WalArchive, spool: Path, clock: Clock) -> None:
        spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._archive = archive
        self._spool = spool
        self._clock = clock
        self._partial_at_ms: int | None = None
        self._known: set[str] = set()
        self._owner: Lineage | None = None

    def look(self) -> str | None:
        """Seal what is finished, now and then also what is not; return why it cannot be."""
        try:
            self._seal()
        except (OSError, Fault) as trouble:
            words = explain(str(trouble)) if isinstance(trouble, OSError) else str(trouble)
            return f"the server's log is not archived in {self._archive.directory}: {words}"
        return None

    def finish(self) -> None:
        """Seal what was received last; trouble is the next start's to tell."""
        self._partial_at_ms = None
        self.look()

    def _seal(self) -> None:
        names = sorted(path.name for path in self._spool.iterdir() if not path.name.startswith("."))
        whole = [name for name in names if not name.endswith(".partial")]
        self._find_owner(names)
        for name in whole:
            if name not in self._known and self._is_ours(name):
                self._archive.put(self._spool / name)
                self._known.add(name)
        # The last one tells the receiver where to go on.
        for name in [each for each in whole if is_segment(each)][:-1]:
            if name in self._known:
                (self._spool / name).unlink()
                self._known.discard(name)
        now_ms = self._clock.monotonic_ms()
        if self._partial_at_ms is None or now_ms - self._partial_at_ms >= _PARTIAL_EVERY_MS:
            for name in names:
                if name.endswith(".partial"):
                    with suppress(FileNotFoundError):  # It was finished in between.
                        if self._is_ours(name) and self._archive.put_partial(self._spool / name):
                            self._partial_at_ms = now_ms

    def _find_owner(self, names: list[str]) -> None:
        """See whose the archive is; nobody's becomes that of the newest log. Raises WrongServer."""
        for name in sorted(filter(is_segment, names), reverse=True):
            if self._owner is None and (found := self._lineage(name)) is not None:
                self._owner = self._archive.bind(found)

    def _is_ours(self, name: str) -> bool:
        """Tell whether it belongs there; False: left from before a restore. Raises WrongServer."""
        if self._owner is None:
            return False
        if not is_segment(name):
            return timeline_of(name) <= self._owner.timeline
        found = self._lineage(name)
        if found is None:
            return False
        if found.timeline >= self._owner.timeline or found.system != self._owner.system:
            need_same(self._archive.directory.parent, self._owner, found)
        return found.timeline == self._owner.timeline

    def _lineage(self, name: str) -> Lineage | None:
        """Return whose log a segment is; None: it holds none yet."""
        with (self._spool / name).open("rb") as file:
            system = system_of(file.read(_HEAD_BYTES))
        timeline = timeline_of(name)
        if not system or timeline == 1:
            return Lineage(system, timeline) if system else None
        history = self._spool / f"{timeline:08X}.history"
        if not history.exists():
            raise ServerFault(f"{history.name} was not received yet")
        return Lineage(system, timeline, history_of(history.read_bytes()))
