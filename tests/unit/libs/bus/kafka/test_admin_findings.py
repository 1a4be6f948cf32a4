"""Topics as they are against topics as they should be, one rule at a time."""

from dataclasses import replace
from typing import Any

import pytest

from libs.bus import TopicSettings
from libs.bus.kafka.admin_findings import (
    BROKER,
    TopicState,
    amiss,
    judge,
    partition_mix,
    replication_of,
    wanted_configs,
)

DAY_MS = 86_400_000
KEPT = TopicSettings(partitions=8, retention_days=30)
COMPACTED = TopicSettings(partitions=1, compacted=True)


def a_state(settings: TopicSettings = KEPT, *, replicas: int = 3, **more: Any) -> TopicState:
    """Return a topic that is as it should be, but for what is given."""
    configs = wanted_configs(settings, replicas=replicas) | more.pop("configs", {})
    state = TopicState("a.b.v1", settings.partitions, replicas, replicas, 0, configs, {})
    return state._replace(**more)


def findings(state: TopicState | None, settings: TopicSettings = KEPT, **more: int) -> list[Any]:
    """Return what is found on three brokers: topic, what, found, and whether it is wrong."""
    asked = {"brokers": 3, "replication": 3, **more}
    states = {} if state is None else {"a.b.v1": state}
    found = judge({"a.b.v1": settings}, states, **asked)
    return [(each.topic, each.what, each.found, each.is_wrong) for each in found]


class TestJudge:
    @pytest.mark.parametrize("settings", [KEPT, COMPACTED])
    def test_finds_nothing_on_a_good_topic(self, settings: TopicSettings) -> None:
        """What wanted_configs asks for is enough."""
        assert [] == findings(a_state(settings), settings)

    def test_finds_a_missing_topic(self) -> None:
        """It is wrong, for no service starts without."""
        assert [("a.b.v1", "partitions", "no topic", True)] == findings(None)

    @pytest.mark.parametrize("partitions", [7, 9])
    def test_finds_another_number_of_partitions(self, partitions: int) -> None:
        """More are as wrong as fewer: keys would go elsewhere."""
        state = a_state(partitions=partitions)

        assert [("a.b.v1", "partitions", str(partitions), True)] == findings(state)

    def test_finds_too_few_copies(self) -> None:
        """The real number counts, not what the brokers' default would be."""
        assert [("a.b.v1", "replication factor", "1", True)] == findings(a_state(replicas=1))

    def test_finds_more_required_than_there_are(self) -> None:
        """A topic of one replica that wants two in sync takes no write, or breaks its promise."""
        state = a_state(replicas=1, configs={"min.insync.replicas": "2"})

        found = findings(state, replication=1)

        assert [("a.b.v1", "min.insync.replicas", "2", True)] == found

    def test_notes_a_replica_that_lags(self) -> None:
        """It may catch up: nothing that a person must repair."""
        assert [("a.b.v1", "in-sync replicas", "2", False)] == findings(a_state(in_sync=2))

    def test_finds_a_partition_without_a_leader(self) -> None:
        """Nobody can write to it."""
        found = findings(a_state(leaderless=1))

        assert [("a.b.v1", "partitions without a leader", "1", True)] == found

    def test_warns_of_a_single_broker(self) -> None:
        """It is allowed, for a pilot; one must know what it may lose."""
        found = findings(a_state(replicas=1), brokers=1, replication=1)

        assert [(BROKER, "brokers", False)] == [(each[0], each[1], each[3]) for each in found]

    def test_finds_too_few_brokers(self) -> None:
        """Three copies need three."""
        found = findings(a_state(), brokers=2)

        assert [(BROKER, "brokers", "2", True)] == found


class TestAmiss:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("retention.ms", str(30 * DAY_MS - 1)),
            ("retention.bytes", "1000000000"),
            ("cleanup.policy", "compact"),
            ("cleanup.policy", "compact,delete"),
            ("min.insync.replicas", "1"),
            ("max.message.bytes", "1000000"),
            ("message.timestamp.type", "CreateTime"),
            ("unclean.leader.election.enable", "true"),
        ],
    )
    def test_names_a_config_that_loses_records(self, name: str, value: str) -> None:
        """Each brings its wanted value, and no other."""
        wrong = amiss(a_state(configs={name: value}), KEPT, 3)

        assert {name: wanted_configs(KEPT, replicas=3)[name]} == wrong

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("retention.ms", str(31 * DAY_MS)),
            ("retention.ms", "-1"),
            ("min.insync.replicas", "3"),
            ("max.message.bytes", "10000000"),
        ],
    )
    def test_takes_more_than_was_asked_for(self, name: str, value: str) -> None:
        """Nothing is ever lowered."""
        assert {} == amiss(a_state(configs={name: value}), KEPT, 3)

    def test_leaves_time_to_a_compacted_topic(self) -> None:
        """Its newest records stay for ever, whatever its retention says."""
        short = a_state(COMPACTED, configs={"retention.ms": "1"})
        dropping = a_state(COMPACTED, configs={"cleanup.policy": "compact,delete"})

        assert {} == amiss(short, COMPACTED, 3)
        assert {"cleanup.policy": "compact"} == amiss(dropping, COMPACTED, 3)

    def test_asks_no_more_in_sync_than_a_topic_has(self) -> None:
        """A topic with one replica that should have three is not stopped as well."""
        assert {} == amiss(a_state(replicas=1), KEPT, 3)


class TestPartitionMix:
    def test_names_only_fixed_topics_that_differ(self) -> None:
        """One sentence, the numbers first."""
        topics = dict.fromkeys("abcd", KEPT)
        states = {
            "a": a_state(partitions=4),
            "b": a_state(partitions=4),
            "c": a_state(),
            "d": a_state(partitions=2),
        }

        assert "4 instead of 8 in a, b" == partition_mix(topics, states, {"a", "b", "c"})
        assert partition_mix(topics, states, {"c"}) is None
        assert partition_mix(topics, {}, {"a"}) is None


@pytest.mark.parametrize(("brokers", "copies"), [(1, 1), (2, 2), (3, 3), (5, 3)])
def test_replicates_as_brokers_allow(brokers: int, copies: int) -> None:
    """Three is the aim."""
    assert copies == replication_of(brokers)


def test_requires_all_replicas_but_one() -> None:
    """One broker may be away; a single copy still takes writes."""
    asked = [
        wanted_configs(replace(KEPT, partitions=1), replicas=n)["min.insync.replicas"]
        for n in (1, 2, 3)
    ]

    assert ["1", "1", "2"] == asked
