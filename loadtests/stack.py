"""The switch as separate processes on Kafka, each of which can be killed, frozen and measured."""

import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from libs.bus.kafka.local_broker import LocalBroker, start_broker
from libs.pg.server import Server, start_server
from loadtests import commands
from loadtests.embedded_switch import LESKO, Installation
from loadtests.machine import children, family_us, process_us
from loadtests.stack_guard import guarded
from loadtests.stack_member import READY_WITHIN_S, Member

SERVICES: Final = ("admin", "card_ledger", "authorization", "iso_bridge")
APPLY_WITHIN_S: Final = 60.0

Tell = Callable[[str], None]


class Stack:
    """A broker, a database and any number of service processes; made by ``open_stack``."""

    def __init__(
        self, installation: Installation, broker: LocalBroker, dsn: str, server: Server | None
    ) -> None:
        self.installation = installation
        self.broker = broker
        self.dsn = dsn  # Of those that are added from now on.
        self.server = server  # None: a database that was given.
        self.members: dict[str, Member] = {}

    def __getitem__(self, name: str) -> Member:
        return self.members[name]

    def environment(self) -> dict[str, str]:
        """Return the settings that every process of this stack has."""
        return self.installation.settings(self.dsn, LESKO_KAFKA__BOOTSTRAP=self.broker.bootstrap)

    def add(
        self, service: str, *, name: str = "", command: Sequence[str] = (), **settings: str
    ) -> Member:
        """Prepare a process, not started; ``name`` where a service has several.

        ``settings`` are LESKO_* variables of its own. ``command`` stands for ``lesko serve`` and
        gets the service as its last word.
        """
        called = name or service
        member = Member(
            [*(command or (*LESKO, "serve")), service],
            self.environment() | settings,
            log=self.installation.home / f"{called}.log",
            cwd=self.installation.home,
        )
        self.members[called] = member
        return member

    async def start(self, *names: str) -> None:
        """Start these members, all for none, together; those that run already are left alone."""
        for name in names or tuple(self.members):
            if not self.members[name].is_running:
                await self.members[name].start()

    async def wait_ready(self, *names: str, seconds: float = READY_WITHIN_S) -> None:
        """Wait until these members, all for none, are ready; ``CommandFailed`` otherwise."""
        for name in names or tuple(self.members):
            await self.members[name].wait_ready(seconds=seconds)

    async def prepare(self, *, cards: int, outlets: int) -> None:
        """Migrate and seed an empty database, and make the topics."""
        await self.installation.seed(self.dsn, cards=cards, outlets=outlets)
        await self.apply_topics()

    async def apply_topics(self) -> str:
        """Make the topics that are missing, as an operator would; return what was said."""
        command = [*LESKO, "topics", "apply"]
        return await commands.run(
            "lesko topics apply", command, env=self.environment(), timeout_s=APPLY_WITHIN_S
        )

    async def verify(self) -> str:
        """Let the ledger verify its books; ``CommandFailed`` when they are not clean."""
        return await self.installation.verify(self.dsn)

    def postgres_pids(self) -> list[int]:
        """Return the server's processes, the postmaster first; none of a server that was given."""
        if self.server is None:
            return []
        return [self.server.pid, *children(self.server.pid)]

    def signal_postgres(self, number: signal.Signals) -> None:
        """Send a signal to all processes of our own server, the postmaster first."""
        _send(self.postgres_pids(), number)

    def signal_broker(self, number: signal.Signals) -> None:
        """Send a signal to the broker."""
        _send([self.broker.pid], number)

    def cpu_us(self) -> dict[str, int]:
        """Return the CPU time used so far, in microseconds, by name; those that run."""
        found = {
            name: process_us(member.pid)
            for name, member in self.members.items()
            if member.is_running
        }
        if self.broker.is_running:
            found["kafka"] = process_us(self.broker.pid)
        if self.server is not None:
            found["postgres"] = family_us(self.server.pid)
        return found

    async def end(self) -> None:
        """End all members, first those that bring in work; frozen ones too."""
        for member in reversed(self.members.values()):
            await member.end()


@asynccontextmanager
async def open_stack(
    work: Path,
    *,
    dsn: str | None = None,
    installation: Installation | None = None,
    tell: Tell = lambda _: None,
) -> AsyncIterator[Stack]:
    """Run a broker, and a PostgreSQL where no ``dsn`` is given, with data under ``work``.

    Leaving ends every process; so does the death of this one. ``work`` is the caller's to remove.
    ``installation`` holds the keys with which a given database was seeded.
    """
    known = installation or Installation(home=work / "home")
    known.home.mkdir(parents=True, exist_ok=True)
    async with start_broker(work / "kafka", report=tell, stop_seconds=5) as broker:
        if dsn is not None:
            async with _members_ended(Stack(known, broker, dsn, None)) as stack:
                yield stack
            return
        elsewhere = None
        try:
            async with start_server(work / "postgres", report=tell, stop_seconds=5) as server:
                elsewhere = server.placed_elsewhere
                async with _members_ended(Stack(known, broker, server.dsn, server)) as stack:
                    yield stack
        finally:
            if elsewhere is not None:
                shutil.rmtree(elsewhere, ignore_errors=True)


@asynccontextmanager
async def _members_ended(stack: Stack) -> AsyncIterator[Stack]:
    server = stack.server
    data = None if server is None else server.data_directory
    with guarded(f"LESKO_HOME={stack.installation.home}", data):
        try:
            yield stack
        finally:
            stack.signal_postgres(signal.SIGCONT)
            if stack.broker.is_running:
                stack.signal_broker(signal.SIGCONT)
            await stack.end()


def _send(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue  # A backend that has ended meanwhile.
