"""Our own PostgreSQL on this machine: set up once, started, watched and ended with the process."""

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

import asyncpg

from libs.pg.binaries import Binaries, find_binaries
from libs.pg.cluster import (
    ADMIN,
    APPLICATION,
    make_cluster,
    password_of,
    set_passwords,
    write_settings,
)
from libs.pg.faults import DRIVER_TROUBLE, DirectoryBusy, ServerFault
from libs.pg.place import Place, belong
from libs.pg.placing import ELSEWHERE, choose_place, make_root, reachable_binaries
from libs.pg.postmaster import Postmaster, clear_foreign_pid, find_running, launch, stop
from libs.pg.trouble import explain
from libs.tcp import free_port, is_free

__all__ = ["Server", "start_server"]

_PORT_TRIES: Final = 5
_REMNANT_TRIES: Final = 20  # Half a second each: what a killed server left is ending.
_RETRY_S: Final = 0.5
_LOGIN_SECONDS: Final = 5
_WATCH_EVERY_S: Final = 0.2
_BACKOFF_S_MAX: Final = 10.0


class Server:
    """The handle of a running server; made by ``start_server``."""

    def __init__(self, place: Place, binaries: Binaries, postmaster: Postmaster) -> None:
        self._place = place
        self._postmaster = postmaster
        self.binaries = binaries.directory
        self.version = binaries.version
        self.port = postmaster.port
        self.root = place.root
        self.data_directory = place.data
        self.log_file = place.log
        self.socket_directory = place.socket if place.socket.is_dir() else None
        self.run_as = place.run_as.name if place.run_as else None
        self.placed_elsewhere = place.elsewhere
        self.is_adopted = postmaster.is_adopted

    @property
    def pid(self) -> int:
        """The server's process now; another one after a crash."""
        return self._postmaster.pid

    @property
    def address(self) -> str:
        """Where it listens and what the database is called, without a secret."""
        return f"127.0.0.1:{self.port}/{APPLICATION}"

    @property
    def dsn(self) -> str:
        """For the application's role, which owns the database. Holds its password."""
        return _dsn(self._place, APPLICATION, self.port)

    @property
    def maker_dsn(self) -> str:
        """For the superuser, in the application's database, to make roles. Holds its password."""
        return _dsn(self._place, ADMIN, self.port, APPLICATION)

    @property
    def admin_dsn(self) -> str:
        """For the superuser, in the database ``postgres``. Holds its password."""
        return _dsn(self._place, ADMIN, self.port)


@asynccontextmanager
async def start_server(
    data_root: Path,
    *,
    binaries: Path | None = None,
    report: Callable[[str], None] = lambda _: None,
    shared_buffers_mb: int | None = None,
    stop_seconds: float = 20,
    elsewhere: Path = ELSEWHERE,
) -> AsyncIterator[Server]:
    """Run PostgreSQL with its data under ``data_root`` until the block is left.

    The first time it makes a data directory, roles and a database. A server of ours that outlived
    its killed process is taken over. One that dies is started again on the same port. ``report``
    hears sentences for people. Leaving ends it: fast shutdown, after ``stop_seconds`` at once.
    As root the server runs as an ordinary user, and if that one cannot reach ``data_root`` its data
    go under ``elsewhere``.
    Raises ServerFault, whose text says what to do; DirectoryBusy if another process has it.
    """
    root = make_root(data_root)
    with _held(root):
        place = choose_place(root, report, elsewhere=elsewhere)
        found = find_binaries(binaries, major=place.data_major)
        programs = await asyncio.to_thread(reachable_binaries, found, place)
        starter = _Starter(place, programs, report, shared_buffers_mb)
        postmaster = await starter.start()
        server = Server(place, programs, postmaster)
        watch = asyncio.create_task(_watch(server, starter), name="postgres watch")
        try:
            yield server
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
            if not await stop(server._postmaster, seconds=stop_seconds):  # noqa: SLF001 -- ours
                report(f"PostgreSQL did not end within {stop_seconds:g} s and was ended at once.")
            if place.socket.parent != place.home:
                shutil.rmtree(place.socket, ignore_errors=True)


class _Starter:
    """Knows how to bring this one server up, the first time and again."""

    def __init__(
        self,
        place: Place,
        binaries: Binaries,
        report: Callable[[str], None],
        shared_buffers_mb: int | None,
    ) -> None:
        self._place = place
        self._binaries = binaries
        self.report = report
        self._shared_buffers_mb = shared_buffers_mb

    async def start(self) -> Postmaster:
        """Take over what runs, or set up what is missing and start."""
        if running := find_running(self._place):
            if await self._is_healthy(running):
                running.guard()
                self.report(
                    "PostgreSQL was still running after its process was killed: taken over."
                )
                return running
            await stop(running, seconds=_LOGIN_SECONDS)
        await asyncio.to_thread(self._prepare)
        for _ in range(_PORT_TRIES):
            port = _choose_port(self._kept_port())
            try:
                server = await self.start_on(port)
            except ServerFault:
                if is_free(port):
                    raise
                continue  # Somebody took the port in between.
            self._place.keep("port", f"{port}\n")
            return server
        raise ServerFault("No TCP port is to be had for PostgreSQL.")

    async def start_on(self, port: int) -> Postmaster:
        """Start on this very port, waiting for what is left of a killed server to end."""
        for _ in range(_REMNANT_TRIES):
            clear_foreign_pid(self._place)
            try:
                return await launch(
                    self._place, self._binaries.directory / "postgres", port, self.report
                )
            except ServerFault as fault:
                if "earlier server" not in str(fault):
                    raise
                await asyncio.sleep(_RETRY_S)
        raise ServerFault(f"Processes of an earlier server in {self._place.data} do not end.")

    def _prepare(self) -> None:
        place = self._place
        try:
            if place.data_major is None:
                self.report("A new PostgreSQL database is made; this happens once.")
                make_cluster(place, self._binaries)
            write_settings(place, _socket_directory(place), self._shared_buffers_mb)
            if not all(password_of(place, role) for role in (ADMIN, APPLICATION)):
                set_passwords(place, self._binaries)
        except OSError as error:
            raise ServerFault(f"{place.home} cannot be used: {explain(str(error))}") from error

    def _kept_port(self) -> int | None:
        try:
            return int((self._place.root / "port").read_text())
        except (FileNotFoundError, ValueError):
            return None

    async def _is_healthy(self, running: Postmaster) -> bool:
        if running.status() != "ready" or not password_of(self._place, APPLICATION):
            return False
        try:
            dsn = _dsn(self._place, APPLICATION, running.port)
            connection = await asyncpg.connect(dsn, timeout=_LOGIN_SECONDS)
            await connection.close(timeout=_LOGIN_SECONDS)
        except DRIVER_TROUBLE:
            return False
        return True


async def _watch(server: Server, starter: _Starter) -> None:
    """Start the server again whenever it dies; its clients reconnect by themselves."""
    pause_s = _RETRY_S
    while True:
        await asyncio.sleep(_WATCH_EVERY_S)
        if server._postmaster.is_running():  # noqa: SLF001 -- the handle is made for this
            pause_s = _RETRY_S
            continue
        starter.report("PostgreSQL ended by itself; it is started again.")
        server._postmaster.dismiss_guard()  # noqa: SLF001 -- as above
        try:
            server._postmaster = await starter.start_on(server.port)  # noqa: SLF001 -- as above
        except ServerFault as fault:
            starter.report(str(fault))
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _BACKOFF_S_MAX)


@contextmanager
def _held(root: Path) -> Iterator[None]:
    """Hold the directory for this process; the kernel lets go when the process ends."""
    try:
        handle = os.open(root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        belong(root / "lock", root)
    except OSError as error:
        raise ServerFault(f"{root} cannot be used: {explain(str(error))}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 20, 0).decode().strip() or "unknown"
            raise DirectoryBusy(
                f"{root} is in use by another lesko (process {holder}): "
                "stop that one, or name another directory."
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def _socket_directory(place: Place) -> Path | None:
    """Make the directory for sockets; None where a stranger's stands in its place."""
    directory = place.socket
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
        place.give(directory, 0o700)
    found = directory.lstat()
    owner = place.run_as.uid if place.run_as else os.geteuid()
    return directory if directory.is_dir() and found.st_uid == owner else None


def _choose_port(kept: int | None) -> int:
    return kept if kept and is_free(kept) else free_port()


def _dsn(place: Place, role: str, port: int, database: str | None = None) -> str:
    password = password_of(place, role) or ""
    return f"postgresql://{role}:{password}@127.0.0.1:{port}/{database or role}?sslmode=disable"
