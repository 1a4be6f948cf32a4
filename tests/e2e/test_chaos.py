"""The switch as separate processes on Kafka, struck in every way amid purchases.

One stack and one set of books for all rounds. What each round must show is in
``loadtests/chaos_rounds.py``; ``make chaos`` plays many more of them.
"""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from libs.bus.kafka.local_broker import LocalBrokerMissing
from loadtests.chaos import Plan, open_scene
from loadtests.chaos_launcher import Point
from loadtests.chaos_rounds import Rounds, late_answers
from loadtests.chaos_scene import Scene
from loadtests.chaos_special import Crash, TwinBridge, TwoLedgers
from loadtests.chaos_strikes import CrossedKill, Freeze, Kill, Strike
from loadtests.chaos_surroundings import EmptyKafka, KillKafka, KillPostgres
from loadtests.embedded_switch import LESKO

pytestmark = [pytest.mark.e2e, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="module")]

# A freeze outlasts the lease and the session of the group (10 s).
SHORT = Plan(
    cards=300, terminals=200, lease_ms=1_500, freeze_s=11.0, answer_ms=5_000, patience_s=6.0
)
ROUNDS_MAX = 4
MUTANT = (sys.executable, "-m", "tests.e2e.chaos_acknowledges_first", "card_ledger")

STRIKES: dict[str, Callable[[], Strike]] = {
    "ledger_dies_between_commit_and_send": partial(Crash, "card_ledger", Point.BEFORE_SEND),
    "authorization_dies_before_acknowledging": partial(Crash, "authorization", Point.AFTER_SEND),
    "bridge_dies_before_confirmation": partial(Crash, "iso_bridge", Point.AFTER_SEND),
    "bridge_dies_while_repeats_cross": partial(CrossedKill, "iso_bridge-2"),
    "bridge_finds_its_partition_in_use": TwinBridge,
    "frozen_ledger_wakes_beside_its_heir": partial(TwoLedgers, is_killed=False),
    "authorization_and_admin_freeze": partial(Freeze, "authorization", "admin"),
    "postgresql_dies": KillPostgres,
    "kafka_dies": KillKafka,
    "kafka_loses_all_it_had": EmptyKafka,
}

PlayedOn = tuple[Scene, Rounds]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    open_directory: Callable[[], AbstractContextManager[Path]],
) -> AsyncIterator[PlayedOn]:
    with open_directory() as work:
        scene = open_scene(work, SHORT, print)
        try:
            found = await scene.__aenter__()
        except LocalBrokerMissing as fault:
            pytest.skip(f"no Kafka: {fault}")
        try:
            yield found
        finally:
            await scene.__aexit__(None, None, None)


class AcknowledgedFirst(Kill):
    """The mutant is killed; the honest ledger takes its place."""

    async def prepare(self, scene: Scene) -> None:
        """Start the mutant."""
        member = scene.stack["card_ledger"]
        member.run_by(MUTANT)
        await member.restart()
        await member.wait_ready()

    async def heal(self, scene: Scene) -> None:
        """Start the honest one."""
        scene.stack["card_ledger"].run_by([*LESKO, "serve", "card_ledger"])
        await super().heal(scene)


class TestChaos:
    @pytest.mark.parametrize("name", STRIKES)
    async def test_loses_nothing_and_books_nothing_twice(self, name: str, stage: PlayedOn) -> None:
        """At least 20 unanswered and one of them booked; books, beliefs and entries agree."""
        _, rounds = stage
        tries = await rounds.play(STRIKES[name]())

        assert [] == [problem for found in tries for problem in found.problems]
        assert tries[-1].counts

    async def test_notices_a_ledger_that_acknowledges_before_sending(self, stage: PlayedOn) -> None:
        """Its booked purchases stay without an answer, which no honest ledger leaves so.

        A kill between two batches meets none: the position is stored with the next one only.
        """
        _, rounds = stage
        strike, noticed = AcknowledgedFirst("card_ledger"), False
        for _ in range(ROUNDS_MAX):
            found = (await rounds.play(strike))[-1]
            assert found.counts
            answer_s = SHORT.answer_ms / 1_000
            noticed = bool(late_answers(strike, replace(found, healthy_s=0.0), answer_s))
            if noticed:
                break

        assert noticed

    async def test_leaves_books_that_verify(self, stage: PlayedOn) -> None:
        """After all of it the chain, the sums and the projections are as they should be."""
        scene, _ = stage

        assert "The books are clean" in await scene.stack.verify()
