"""Our own Kafka on this machine, for the demo and for tests: one node, ended with the process."""

import fcntl
import os
import shutil
import uuid
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from libs.bus.kafka.jars import fetch_jars, find_java
from libs.bus.kafka.local_broker_process import BrokerProcess, end_left_over, launch
from libs.bus.kafka.local_broker_program import run_program
from libs.bus.kafka.local_broker_settings import Ports, choose_ports, write_settings
from libs.bus.kafka.local_broker_trouble import (
    BrokerDirectoryBusy,
    LocalBrokerFault,
    LocalBrokerMissing,
    explain,
)
from libs.tcp import is_free

__all__ = [
    "BrokerDirectoryBusy",
    "LocalBroker",
    "LocalBrokerFault",
    "LocalBrokerMissing",
    "start_broker",
]

_PORT_TRIES: Final = 5
_FORMAT_SECONDS: Final = 60
_STOP_SECONDS: Final = 20.0
# As the broker is ours alone: a small heap, one collector thread, warm within seconds.
_JVM: Final = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")


class LocalBroker:
    """A broker in a directory of its own; made by ``start_broker``.

    It keeps its address through every ``stop``, ``kill`` and ``start``.
    """

    def __init__(self, root: Path, java: Path, jars: Path) -> None:
        self.root = root
        self.data_directory = root / "data"
        self.log_file = root / "broker.log"
        self._java = (str(java), *_JVM, "-Dlog4j2.configurationFile=log4j2.properties")
        self._class_path = ("-cp", f"{jars}/*")
        self._ports: Ports | None = None
        self._process: BrokerProcess | None = None

    @property
    def bootstrap(self) -> str:
        """Where it listens, as in LESKO_KAFKA__BOOTSTRAP."""
        return f"127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """The TCP port of ``bootstrap``."""
        if self._ports is None:
            raise LocalBrokerFault("This broker was never started.")
        return self._ports.broker

    @property
    def pid(self) -> int:
        """The process now, for signals; another one after a start. Raises when none runs."""
        if self._process is None:
            raise LocalBrokerFault("This broker does not run now.")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Tell whether its process is there."""
        return self._process is not None and self._process.is_running()

    async def start(self, *, port: int | None = None) -> None:
        """Start it with the data it has, an empty log the first time; nothing if it runs.

        ``port`` counts the first time only. Raises LocalBrokerFault.
        """
        if self.is_running:
            return
        if self._process is not None:
            self._process.forget()
        if self._ports is not None:
            await self._start_on(self._ports)
            return
        for _ in range(_PORT_TRIES):
            ports = choose_ports(self._kept_ports(), broker=port)
            try:
                await self._start_on(ports)
            except LocalBrokerFault:
                if all(map(is_free, ports)):
                    raise
                continue  # Somebody took a port in between.
            self._ports = ports
            (self.root / "ports").write_text(f"{ports.broker} {ports.controller}\n")
            return
        raise LocalBrokerFault("No TCP port is to be had for Kafka.")

    async def stop(self, *, seconds: float = _STOP_SECONDS) -> bool:
        """End it in order, after ``seconds`` at once; tell whether it was in order."""
        if self._process is None:
            return True
        was_orderly = await self._process.end(seconds=seconds)
        self._process = None
        return was_orderly

    async def kill(self) -> None:
        """End it at once; what it had acknowledged is on its disk, for the machine lives."""
        if self._process is not None:
            await self._process.kill()
            self._process = None

    async def restart(self) -> None:
        """End it in order and start it again with the same data."""
        await self.stop()
        await self.start()

    async def begin_again(self) -> None:
        """End it at once and start it with no data, as a new broker at the old address."""
        await self.kill()
        shutil.rmtree(self.data_directory, ignore_errors=True)
        await self.start()

    async def _start_on(self, ports: Ports) -> None:
        if not all(map(is_free, ports)):
            raise LocalBrokerFault(f"TCP port {ports.broker} of Kafka is taken by another program.")
        write_settings(self.root, ports)
        if not (self.data_directory / "meta.properties").exists():
            await self._format()
        self._process = await launch(
            self.root, [*self._java, *self._class_path, "kafka.Kafka", "server.properties"]
        )

    async def _format(self) -> None:
        identity = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # Joined by =, for an identity may begin with a dash.
        options = (f"--cluster-id={identity}", "--config=server.properties")
        code, said = await run_program(
            [*self._java, *self._class_path, "kafka.tools.StorageTool", "format", *options],
            seconds=_FORMAT_SECONDS,
            directory=self.root,
        )
        if code != 0:
            raise LocalBrokerFault(f"Kafka cannot make its data directory: {explain(said)}")

    def _kept_ports(self) -> Ports | None:
        try:
            return Ports(*(int(word) for word in (self.root / "ports").read_text().split()))
        except (FileNotFoundError, ValueError, TypeError):
            return None


@asynccontextmanager
async def start_broker(
    root: Path,
    *,
    report: Callable[[str], None] = lambda _: None,
    port: int | None = None,
    jars: Path | None = None,
    stop_seconds: float = _STOP_SECONDS,
) -> AsyncIterator[LocalBroker]:
    """Run Kafka with its data under ``root`` until the block is left.

    The first time its jars are fetched (``jars``: where they are kept) and an empty log is made;
    later the data and, where they are free, the ports are those from before. A broker that outlived
    its killed process is ended first. ``report`` hears sentences for people. It ends with the
    block, and also when this process is killed. It listens on 127.0.0.1 only, without passwords.
    Raises LocalBrokerFault, whose text says what to do: LocalBrokerMissing without Java or jars,
    BrokerDirectoryBusy if another process has the directory.
    """
    with _held(root) as held:
        java = await find_java()
        broker = LocalBroker(held, java, await fetch_jars(cache=jars, report=report))
        try:
            if await end_left_over(held):
                report("A broker that outlived its killed process was ended.")
            await broker.start(port=port)
        except OSError as error:
            raise LocalBrokerFault(f"{root} cannot be used: {explain(str(error))}") from error
        try:
            yield broker
        finally:
            if not await broker.stop(seconds=stop_seconds):
                report(f"Kafka did not end within {stop_seconds:g} s and was ended at once.")


@contextmanager
def _held(given: Path) -> Iterator[Path]:
    """Hold the directory for this process; the kernel lets go when the process ends."""
    root = given.expanduser().resolve()
    try:
        root.mkdir(parents=True, exist_ok=True)
        handle = os.open(root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LocalBrokerFault(f"{root} cannot be used: {explain(str(error))}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 20, 0).decode().strip() or "unknown"
            raise BrokerDirectoryBusy(
                f"{root} is in use by another process ({holder}): "
                "stop that one, or name another directory."
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield root
    finally:
        os.close(handle)
