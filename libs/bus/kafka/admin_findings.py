"""What topics on Kafka are compared with what they should be; pure: Kafka is asked elsewhere."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from libs.bus.topics import TopicSettings

__all__ = [
    "BROKER",
    "RECORD_BYTES_MAX",
    "Finding",
    "TopicState",
    "amiss",
    "is_enough",
    "judge",
    "partition_mix",
    "replication_of",
    "wanted_configs",
]

RECORD_BYTES_MAX: Final = 1 << 20
"""What a topic takes at once; twice what the adapter puts into one batch of records."""
BROKER: Final = "(brokers)"
"""Stands for the topic in findings on the brokers themselves."""
_REPLICATION_USUAL: Final = 3
_MS_PER_DAY: Final = 86_400_000
_FOR_EVER: Final = -1
# More than was asked for does no harm; anything else must be as asked.
_AT_LEAST: Final = {"retention.ms", "retention.bytes", "min.insync.replicas", "max.message.bytes"}
_UNLIMITED: Final = {"retention.ms", "retention.bytes"}  # Where -1 stands for no limit.


class TopicState(NamedTuple):
    """A topic as it is on Kafka."""

    name: str
    partitions: int
    replicas: int  # Of the partition that has fewest.
    in_sync: int  # As above.
    leaderless: int  # Partitions that nobody can write to or read from now.
    configs: Mapping[str, str]  # All that are in force.
    overrides: Mapping[str, str]  # Those that were set for this topic.


class Finding(NamedTuple):
    """One thing that is not as it should be; ``is_wrong`` is false for what one must know only."""

    topic: str
    what: str
    found: str
    wanted: str
    is_wrong: bool = True


def replication_of(brokers: int) -> int:
    """Return how many copies of each record as many brokers can usefully keep."""
    return min(_REPLICATION_USUAL, brokers)


def wanted_configs(topic: TopicSettings, *, replicas: int) -> dict[str, str]:
    """Return the configs that a topic with so many replicas must have, under Kafka's names.

    Writes need all replicas but one. The broker's clock stamps records: ours may be wrong.
    A compacted topic keeps its newest records for ever; no other loses any before its time.
    """
    configs = {
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "min.insync.replicas": str(max(1, replicas - 1)),
        "max.message.bytes": str(RECORD_BYTES_MAX),
        "message.timestamp.type": "LogAppendTime",
        "unclean.leader.election.enable": "false",
    }
    if not topic.compacted:
        configs["retention.ms"] = str(topic.retention_days * _MS_PER_DAY)
        configs["retention.bytes"] = str(_FOR_EVER)
    return configs


def is_enough(name: str, found: str, wanted: str) -> bool:
    """Tell whether a config's value does what was asked for."""
    if found == wanted or name not in _AT_LEAST or not found:
        return found == wanted
    if name in _UNLIMITED and str(_FOR_EVER) in (found, wanted):
        return found == str(_FOR_EVER)
    return int(found) >= int(wanted)


def amiss(state: TopicState, settings: TopicSettings, replication: int) -> dict[str, str]:
    """Return the configs of a topic that must change, with the values that they must have."""
    wanted = wanted_configs(settings, replicas=min(replication, state.replicas))
    return {
        name: value
        for name, value in wanted.items()
        if not is_enough(name, state.configs.get(name, ""), value)
        # More than there are replicas lets nobody write.
        or (name == "min.insync.replicas" and int(state.configs[name]) > state.replicas)
    }


def judge(
    topics: Mapping[str, TopicSettings],
    states: Mapping[str, TopicState],
    *,
    brokers: int,
    replication: int,
) -> list[Finding]:
    """Compare topics as they are with topics as they should be, in the order given."""
    findings = list(_on_brokers(brokers, replication))
    for name, settings in topics.items():
        state = states.get(name)
        if state is None:
            findings.append(Finding(name, "partitions", "no topic", str(settings.partitions)))
        else:
            findings += _on_copies(state, replication)
            findings += _on_settings(state, settings, replication)
    return findings


def partition_mix(
    topics: Mapping[str, TopicSettings],
    states: Mapping[str, TopicState],
    fixed: Collection[str],
) -> str | None:
    """Name the topics of ``fixed`` that have another number of partitions than they must have."""
    others: dict[tuple[int, int], list[str]] = {}
    for name, settings in topics.items():
        if name in fixed and name in states and states[name].partitions != settings.partitions:
            others.setdefault((states[name].partitions, settings.partitions), []).append(name)
    return (
        "; ".join(
            f"{found} instead of {wanted} in {', '.join(names)}"
            for (found, wanted), names in others.items()
        )
        or None
    )


def _on_brokers(brokers: int, replication: int) -> Iterator[Finding]:
    if brokers < replication:
        yield Finding(BROKER, "brokers", str(brokers), f"{replication} for as many copies")
    if brokers == 1:
        yield Finding(
            BROKER,
            "brokers",
            "a single broker can lose the records that it has not written to its disk yet",
            "3 where power fails; the ledger and terminals repair such a loss",
            is_wrong=False,
        )


def _on_copies(state: TopicState, replication: int) -> Iterator[Finding]:
    if state.leaderless:
        yield Finding(state.name, "partitions without a leader", str(state.leaderless), "0")
    if state.replicas < replication:
        yield Finding(
            state.name,
            "replication factor",
            str(state.replicas),
            f"{replication}; kafka-reassign-partitions changes it",
        )
    if state.in_sync < state.replicas:
        yield Finding(
            state.name,
            "in-sync replicas",
            str(state.in_sync),
            str(state.replicas),
            is_wrong=False,
        )


def _on_settings(state: TopicState, settings: TopicSettings, replication: int) -> Iterable[Finding]:
    if state.partitions != settings.partitions:
        yield Finding(state.name, "partitions", str(state.partitions), str(settings.partitions))
    for name, wanted in amiss(state, settings, replication).items():
        yield Finding(state.name, name, state.configs.get(name, ""), wanted)
