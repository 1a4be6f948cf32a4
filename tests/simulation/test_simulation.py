"""The whole switch in virtual time: whatever goes wrong, the promises hold (DESIGN 2)."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.faults import KINDS_MIN, Kind
from tests.simulation.run import command_of, failures, quieten, shrink
from tests.simulation.world import TERMINALS, Order, Report, simulate

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(1, 301)
AT_ONCE = 20
MESSAGES_MIN = 60


@pytest.fixture(autouse=True)
def _quiet() -> None:
    quieten()


@pytest.mark.parametrize("first", SEEDS[::AT_ONCE])
def test_keeps_its_promises(first: int) -> None:
    """Each seed heals, and nobody believes what the books do not say."""
    orders = [Order(seed=seed) for seed in range(first, first + AT_ONCE)]

    failed = [
        f"{command_of(order)}: {report.problems[0]}"
        for order, report in failures(orders, Counter())
    ]

    assert [] == failed


def test_meets_every_kind_of_fault() -> None:
    """A kind that never happens would prove nothing; each seed has its fill of everything."""
    reports = [simulate(Order(seed=seed)) for seed in range(1, 31)]

    assert set(Kind) == {kind for report in reports for kind in report.faults}
    assert all(len(report.faults) >= KINDS_MIN - 1 for report in reports)
    assert all(sum(report.heard.values()) >= MESSAGES_MIN for report in reports)
    assert TERMINALS >= 6


def test_lives_the_same_life_again() -> None:
    """A seed is a command that replays it, also where sets and dicts are hashed otherwise."""
    script = (
        "from tests.simulation.run import quieten;"
        "from tests.simulation.world import Order, simulate;"
        "quieten(); print(simulate(Order(seed=7)).trace)"
    )

    traces = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "42")
    }

    assert 1 == len(traces)
    assert {simulate(Order(seed=7)).trace + "\n"} == traces
    assert simulate(Order(seed=8)).trace + "\n" not in traces


def test_asks_for_less_of_what_fails() -> None:
    """What is left when a seed is shrunk still fails, and nothing of it can be spared."""

    def fails_with_kill_and_three(order: Order) -> Report:
        fails = Kind.KILL not in order.without and order.purchases >= 3
        met = {kind: 1 for kind in (Kind.KILL, Kind.LOSS) if kind not in order.without}
        problems = ["a promise was broken"] if fails else []
        return Report(
            seed=order.seed, problems=problems, faults=met, heard={}, steps=0, virtual_s=0, trace=""
        )

    order = Order(seed=3)

    small = shrink(order, fails_with_kill_and_three(order), fails_with_kill_and_three)

    assert (3, 1, frozenset({Kind.LOSS})) == (small.purchases, small.terminals, small.without)
    assert "3 3 --terminals 1 --purchases 3 --without loss" in command_of(small)
