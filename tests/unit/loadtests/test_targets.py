"""Targets beside what was measured: ratios from below, all else from above."""

from typing import Any

import pytest

from loadtests.report import of_switch
from loadtests.rounds import EMBEDDED, KAFKA, Plan
from loadtests.targets import CPU, P50, RATIO, TARGETS, Target, target_rows
from tests.unit.loadtests.results import a_level, a_result, a_round, both

CPU_US = {"iso_bridge": 100.0, "postgres": 50.0, "kafka": 200.0, "driver": 40.0}


def rows(**changes: Any) -> dict[str, tuple[str, ...]]:
    """Return the rows of a result with one level of the switch on Kafka, by figure."""
    level = a_level(100, name="128 in flight", **changes)
    result = a_result({"pgbench": {"tps": 50.0, "raw": ""}, KAFKA: {"levels": [level]}})
    return {row[1]: row for row in target_rows(of_switch(result, KAFKA), KAFKA)}


class TestReached:
    @pytest.mark.parametrize(
        ("found", "reached"), [(1.4, "aim"), (1.39, "must"), (0.99, "first"), (0.69, "no")]
    )
    def test_wants_a_ratio_at_least(self, found: float, reached: str) -> None:
        """The bound itself counts."""
        target = Target(level="a", figure=RATIO, first=0.7, must=1.0, aim=1.4)

        assert reached == target.reached(found)

    @pytest.mark.parametrize(("found", "reached"), [(5, "aim"), (5.1, "must"), (8.1, "no")])
    def test_wants_all_else_at_most(self, found: float, reached: str) -> None:
        """Without a first target there is none to reach."""
        assert reached == Target(level="a", figure=P50, must=8, aim=5).reached(found)


class TestTargetRows:
    def test_judges_the_levels_that_were_measured(self) -> None:
        """A level that a result does not have has no row."""
        found = rows(cpu_us=CPU_US)

        assert {RATIO, CPU} == found.keys()
        assert ("≥ 0.7", "≥ 1", "≥ 1.4", "2.00", "aim") == found[RATIO][2:]

    def test_leaves_the_driver_out_of_the_cost(self) -> None:
        """Terminals are not ours; what is unknown has no sum."""
        assert ("", "≤ 400", "≤ 250", "350", "must") == rows(cpu_us=CPU_US)[CPU][2:]
        assert CPU not in rows(cpu_us={**CPU_US, "postgres": None})

    @pytest.mark.parametrize("switch", [EMBEDDED, KAFKA])
    def test_names_levels_that_a_run_has(self, switch: str) -> None:
        """No target is missed because its level is called otherwise."""
        plan = Plan()
        names = {f"{count} in flight" for count in plan.closed}
        names |= {f"{rate:g}/s" for rate in plan.rates} | {"half of saturation"}

        assert {target.level for target in TARGETS[switch]} <= names

    def test_can_judge_both_switches(self) -> None:
        """Each has targets of its own in one result."""
        result = both(a_round(100, 50), a_round(40, 50))

        embedded, kafka = (
            [row[:2] for row in target_rows(of_switch(result, name), name)]
            for name in (EMBEDDED, KAFKA)
        )

        assert [("8 in flight", RATIO)] == embedded
        assert [] == kafka
