"""What is done to topics on Kafka: made, configured, given more partitions; never deleted."""

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from libs.bus.faults import BusUnavailable
from libs.bus.kafka.admin_findings import TopicState, amiss, wanted_configs
from libs.bus.topics import TopicSettings
from libs.outcome import Fault

__all__ = ["REQUEST_MS", "Change", "TopicsRefused", "configure", "create", "grow", "refuse"]

REQUEST_MS: Final = 10_000
_ALREADY_THERE: Final = 36


class TopicsRefused(Fault):
    """The topics cannot become what was asked for; the text says why and what helps."""


class Change(NamedTuple):
    """Something that was done to a topic."""

    topic: str
    what: str
    before: str
    after: str


async def create(
    admin: AIOKafkaAdminClient,
    topics: Mapping[str, TopicSettings],
    states: Mapping[str, TopicState],
    replication: int,
) -> list[Change]:
    """Make the topics that have no state."""
    missing = {name: settings for name, settings in topics.items() if name not in states}
    if not missing:
        return []
    answer = await admin.create_topics(
        [
            NewTopic(
                name,
                settings.partitions,
                replication,
                topic_configs=wanted_configs(settings, replicas=replication),
            )
            for name, settings in missing.items()
        ],
        timeout_ms=REQUEST_MS,
    )
    changes = []
    for name, code, message in answer.topic_errors:
        if code != _ALREADY_THERE:  # Somebody else was quicker; what it made is judged below.
            refuse(code, message, f"make {name}")
            changes.append(Change(name, "partitions", "no topic", str(missing[name].partitions)))
    return changes


async def configure(
    admin: AIOKafkaAdminClient,
    topics: Mapping[str, TopicSettings],
    states: Mapping[str, TopicState],
    replication: int,
) -> list[Change]:
    """Repair configs; those that others set for a topic stay."""
    changes: list[Change] = []
    resources = []
    for name, state in states.items():
        if wrong := amiss(state, topics[name], replication):
            # This request replaces all that was set for the topic, so others' go along.
            configs = {**state.overrides, **wrong}
            resources.append(ConfigResource(ConfigResourceType.TOPIC, name, configs))
            changes += [Change(name, key, state.configs[key], wrong[key]) for key in wrong]
    if resources:
        for answer in await admin.alter_configs(resources):
            for code, message, _, name in answer.resources:
                refuse(code, message, f"change {name}")
    return changes


async def grow(
    admin: AIOKafkaAdminClient,
    topics: Mapping[str, TopicSettings],
    states: Mapping[str, TopicState],
    fixed: Collection[str],
) -> list[Change]:
    """Add partitions where records' keys do not depend on their number."""
    small = {
        name: topics[name].partitions
        for name, state in states.items()
        if state.partitions < topics[name].partitions
        and name not in fixed
        and not topics[name].compacted
    }
    if small:
        await admin.create_partitions({name: NewPartitions(n) for name, n in small.items()})
    return [
        Change(name, "partitions", str(states[name].partitions), str(n))
        for name, n in small.items()
    ]


def refuse(code: int, message: str | None, what: str) -> None:
    """Raise BusUnavailable or TopicsRefused for an error code of Kafka; nothing for zero."""
    if code:
        error = for_code(code)
        if error.retriable:
            raise BusUnavailable(f"Kafka could not {what} now: {error.__name__}.")
        raise TopicsRefused(f"Kafka refuses to {what}: {message or error.__name__}.")
