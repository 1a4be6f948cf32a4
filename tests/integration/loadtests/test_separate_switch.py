"""The switch as processes of its own on a broker of its own, loaded and checked."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from libs.bus.kafka.local_broker import LocalBrokerMissing
from loadtests.books import check_books
from loadtests.commands import CommandFailed
from loadtests.embedded_switch import Installation
from loadtests.entries import Trail, check_entries, read_heads
from loadtests.fleet import Fleet, today
from loadtests.machine import Observer
from loadtests.plan import MIXED
from loadtests.rounds import costs
from loadtests.separate_switch import SeparateSwitch, broker_version, serve_separately
from loadtests.stack import SERVICES
from loadtests.terminal_simulator import Load, Simulator

pytestmark = pytest.mark.postgres

OpenDirectory = Callable[[], AbstractContextManager[Path]]


class Loaded:
    """What one short load left behind."""

    def __init__(self) -> None:
        self.fleet = Fleet(20, today())
        self.processes: dict[str, int] = {}
        self.cpu_us: dict[str, float] = {}
        self.wrong = -1
        self.trails: list[Trail] = []

    async def load(self, switch: SeparateSwitch, dsn: str) -> None:
        """Load for a moment, then read the entries twice: behind the books' begin, and another."""
        self.processes |= switch.processes
        load = Load(name="a", in_flight=8, seconds=0.5, warm_up_s=0.2, mix=MIXED, cards=50)
        observe = Observer(switch.processes, postmaster=None)
        measured = await Simulator(self.fleet, switch.host, switch.port).run(load, observe)
        self.cpu_us = costs(measured)["cpu_us"]
        self.wrong = measured.tally.wrong + measured.unsettled
        begins = self.begins
        displaced = {place: head._replace(hash=b"other") for place, head in begins.items()}
        for each in (begins, displaced):
            self.trails.append(await check_entries(switch.bootstrap, dsn, each))

    async def run(self, root: Path, dsn: str) -> None:
        """Seed, serve and load."""
        installation = Installation(home=root / "home")
        installation.home.mkdir()
        await installation.seed(dsn, cards=50, outlets=20)
        self.begins = await read_heads(dsn)
        async with serve_separately(
            installation, dsn, root / "stack", tell=lambda _: None
        ) as switch:
            await self.load(switch, dsn)


async def test_is_loaded_checked_and_ended(
    open_directory: OpenDirectory, postgres_dsn: str
) -> None:
    """Each process has its cost, books and entries agree, and nothing runs afterwards."""
    loaded = Loaded()
    with open_directory() as root:
        try:
            await loaded.run(root, postgres_dsn)
        except CommandFailed as failed:
            if isinstance(failed.__cause__, LocalBrokerMissing):
                pytest.skip(f"no Kafka: {failed}")
            raise
    books = await check_books(postgres_dsn, loaded.fleet.belief, loaded.fleet.day)

    assert {*SERVICES, "kafka"} == loaded.processes.keys()
    assert {*SERVICES, "kafka", "postgres", "driver"} == loaded.cpu_us.keys()
    assert 0 == loaded.wrong
    assert {} == books.contradictions
    trail, displaced = loaded.trails
    assert {} == trail.contradictions
    assert trail.transfers >= books.keys > 0
    assert {"a batch does not follow the one before"} == displaced.contradictions.keys()
    for pid in loaded.processes.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_knows_the_version_of_its_broker() -> None:
    """A result names it."""
    assert broker_version()[0].isdigit()
