"""Counters of /proc: they belong to the right process and only grow."""

import os
from pathlib import Path

import pytest

from loadtests.fleet import Tally
from loadtests.machine import (
    Observer,
    Snapshot,
    children,
    describe,
    family_us,
    machine_us,
    parent_of,
    process_us,
    versions,
)
from loadtests.rounds import costs
from loadtests.terminal_simulator import Load, Measured

NOBODY = 2**22 + 1
"""Above the highest process number that Linux gives."""


class TestProcesses:
    def test_knows_its_parent_and_its_children(self) -> None:
        """We are among the children of whoever started us."""
        parent = parent_of(os.getpid())

        assert os.getppid() == parent
        assert os.getpid() in set(children(os.getppid()))

    def test_counts_what_was_used(self) -> None:
        """Work shows in our own counter, in our parent's family and in the machine's."""
        before = after = self._counters()

        for _ in range(10_000):  # Counters move in steps of 10 ms.
            sum(range(10_000))
            after = self._counters()
            if all(late > early for late, early in zip(after, before, strict=True)):
                break

        assert all(late > early for late, early in zip(after, before, strict=True))

    def _counters(self) -> tuple[int, int, int]:
        return process_us(os.getpid()), family_us(os.getppid()), machine_us()[0]

    def test_says_that_a_process_has_ended(self) -> None:
        """A switch that died under load is trouble, not zero CPU."""
        with pytest.raises(ProcessLookupError):
            Observer({"switch": NOBODY}, postmaster=None)()
        assert parent_of(NOBODY) is None

    def test_leaves_a_distant_postgres_out(self) -> None:
        """Without a local postmaster there is no figure rather than a wrong one."""
        seen = Observer({"switch": os.getpid()}, postmaster=None)().used_us

        assert ["switch", "postgres", "driver"] == list(seen)
        assert seen["postgres"] is None


class TestDescribe:
    def test_names_no_place_and_no_machine(self) -> None:
        """What is written into results is the kind of machine alone."""
        found = describe(Path("/"))

        assert {"cpu", "cores", "memory_gb", "kernel", "filesystem"} == set(found)
        assert os.uname().nodename not in found.values()
        assert found["filesystem"]

    def test_gives_the_versions_that_matter(self) -> None:
        """Python and the loop are always there."""
        assert {"python", "uvloop"} <= versions().keys()


class TestCosts:
    def test_shares_cpu_among_purchases(self) -> None:
        """Microseconds a purchase, and what nobody of ours used."""
        tally = Tally()
        tally.codes[b"00"] = 100
        used_us = {"iso_bridge": 10_000, "kafka": 5_000, "driver": 1_000}
        zero = Snapshot(used_us=dict.fromkeys(used_us, 0), busy_us=0, total_us=0)
        after = Snapshot(used_us=used_us, busy_us=516_000, total_us=2_000_000)
        measured = Measured(
            load=Load(name="a"), seconds=1.0, tally=tally, before=zero, after=after, unsettled=0
        )

        assert {
            "cpu_us": {"iso_bridge": 100.0, "kafka": 50.0, "driver": 10.0},
            "busy": 0.258,
            "others_cores": 0.5,
        } == costs(measured)

    def test_knows_no_cost_of_what_is_elsewhere(self) -> None:
        """A distant PostgreSQL costs an unknown amount, not nothing."""
        seen = Snapshot(used_us={"postgres": None}, busy_us=0, total_us=0)
        measured = Measured(
            load=Load(name="a"), seconds=1.0, tally=Tally(), before=seen, after=seen, unsettled=0
        )

        assert {"postgres": None} == costs(measured)["cpu_us"]
