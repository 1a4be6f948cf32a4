"""Make topics on Kafka what they should be, and tell what is not so; nothing is ever deleted."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError

from libs.bus.faults import BusUnavailable
from libs.bus.kafka.admin_changes import (
    REQUEST_MS,
    Change,
    TopicsRefused,
    configure,
    create,
    grow,
    refuse,
)
from libs.bus.kafka.admin_findings import (
    Finding,
    TopicState,
    judge,
    partition_mix,
    replication_of,
)
from libs.bus.kafka.settings import KafkaSettings
from libs.bus.topics import TopicSettings

__all__ = [
    "Change",
    "Finding",
    "TopicState",
    "TopicsRefused",
    "TopicsReport",
    "apply_topics",
    "check_topics",
]

_PATIENCE_S: Final = 3.0
_LOOK_EVERY_S: Final = 0.1
_SETTLED_SECONDS: Final = 15
_SET_FOR_THE_TOPIC: Final = 1  # DYNAMIC_TOPIC_CONFIG, one of Kafka's sources of a config.


class TopicsReport(NamedTuple):
    """How topics are, what is not as it should be, and what was changed before."""

    brokers: int
    replication: int
    states: Sequence[TopicState]
    findings: Sequence[Finding]
    changes: Sequence[Change] = ()

    @property
    def is_good(self) -> bool:
        """Tell whether nothing is wrong."""
        return not any(finding.is_wrong for finding in self.findings)


async def check_topics(
    settings: KafkaSettings,
    topics: Mapping[str, TopicSettings],
    *,
    replication: int | None = None,
    patience_s: float = _PATIENCE_S,
) -> TopicsReport:
    """Compare topics with what they should be, and change nothing.

    ``replication``: copies of each record; by default three, or as many as there are brokers.
    Raises BusUnavailable when Kafka cannot be reached within ``patience_s``.
    """
    async with _open(settings, patience_s) as admin:
        return await _report(admin, topics, replication)


async def apply_topics(
    settings: KafkaSettings,
    topics: Mapping[str, TopicSettings],
    *,
    replication: int | None = None,
    fixed: Collection[str] = (),
    patience_s: float = _PATIENCE_S,
) -> TopicsReport:
    """Make missing topics and repair the configs of others; then report as ``check_topics`` does.

    May be repeated. Configs that were set by others and that we do not ask for stay. Partitions are
    added where keys do not depend on their number: never to those of ``fixed`` nor to compacted
    ones, and never taken away. Raises TopicsRefused before anything is changed when a topic of
    ``fixed`` has another number of partitions, or there are too few brokers; BusUnavailable.
    """
    async with _open(settings, patience_s) as admin:
        before = await _report(admin, topics, replication)
        states = {state.name: state for state in before.states}
        if before.brokers < before.replication:
            raise TopicsRefused(
                f"LESKO_KAFKA__REPLICATION asks for {before.replication} copies of each record, "
                f"but Kafka has {before.brokers} broker{'s' * (before.brokers > 1)}."
            )
        if (mix := partition_mix(topics, states, fixed)) is not None:
            raise TopicsRefused(
                f"The ledger's topics and its books must have one number of partitions: {mix}. "
                "It is fixed when the database is made; nothing was changed."
            )
        changes = [
            *await create(admin, topics, states, before.replication),
            *await configure(admin, topics, states, before.replication),
            *await grow(admin, topics, states, fixed),
        ]
        after = await _settled(admin, topics, replication)
        return after._replace(changes=changes)


@asynccontextmanager
async def _open(settings: KafkaSettings, patience_s: float) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(
        bootstrap_servers=settings.bootstrap,
        client_id="lesko-topics",
        request_timeout_ms=REQUEST_MS,
        **settings.security(),
    )
    try:
        await _reach(admin, settings.bootstrap, patience_s)
        yield admin
    except (KafkaError, OSError, TimeoutError) as error:
        raise BusUnavailable(
            f"Kafka at {settings.bootstrap} does not do its work: {type(error).__name__}."
        ) from error
    finally:
        await admin.close()


async def _reach(admin: AIOKafkaAdminClient, bootstrap: str, patience_s: float) -> None:
    give_up_at = asyncio.get_running_loop().time() + patience_s
    while True:
        try:
            await admin.start()
        except KafkaConnectionError as error:
            if asyncio.get_running_loop().time() >= give_up_at:
                raise BusUnavailable(
                    f"Kafka at {bootstrap} (LESKO_KAFKA__BOOTSTRAP) cannot be reached."
                ) from error
            await asyncio.sleep(_LOOK_EVERY_S)
        else:
            return


async def _report(
    admin: AIOKafkaAdminClient, topics: Mapping[str, TopicSettings], replication: int | None
) -> TopicsReport:
    cluster = await admin.describe_cluster()
    brokers = len(cluster["brokers"])
    copies = replication or replication_of(brokers)
    states = await _states(admin, topics)
    findings = judge(topics, states, brokers=brokers, replication=copies)
    return TopicsReport(brokers, copies, list(states.values()), findings)


async def _settled(
    admin: AIOKafkaAdminClient, topics: Mapping[str, TopicSettings], replication: int | None
) -> TopicsReport:
    """Report once every topic can be used; what was made takes a moment to be led."""
    report = await _report(admin, topics, replication)
    for _ in range(round(_SETTLED_SECONDS / _LOOK_EVERY_S)):
        if len(report.states) == len(topics) and not any(s.leaderless for s in report.states):
            break
        await asyncio.sleep(_LOOK_EVERY_S)
        report = await _report(admin, topics, replication)
    return report


async def _states(
    admin: AIOKafkaAdminClient, topics: Mapping[str, TopicSettings]
) -> dict[str, TopicState]:
    # All topics: asking for one by name would make it where Kafka makes topics by itself.
    described = {found["topic"]: found for found in await admin.describe_topics()}
    present = [name for name in topics if name in described]
    configs = await _configs(admin, present)
    return {
        name: _state(name, described[name]["partitions"], *configs[name])
        for name in present
        if name in configs
    }


def _state(
    name: str,
    partitions: Sequence[Mapping[str, Any]],
    configs: Mapping[str, str],
    overrides: Mapping[str, str],
) -> TopicState:
    return TopicState(
        name=name,
        partitions=len(partitions),
        replicas=min((len(each["replicas"]) for each in partitions), default=0),
        in_sync=min((len(each["isr"]) for each in partitions), default=0),
        leaderless=sum(each["leader"] < 0 for each in partitions),
        configs=configs,
        overrides=overrides,
    )


async def _configs(
    admin: AIOKafkaAdminClient, names: Sequence[str]
) -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    """Return by topic the configs in force, and those that were set for it."""
    if not names:
        return {}
    found = {}
    answers = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    )
    for resource in (each for answer in answers for each in answer.resources):
        code, message, _, name, entries = resource
        refuse(code, message, f"tell the configs of {name}")
        in_force = {entry[0]: entry[1] or "" for entry in entries}
        ours = {entry[0]: entry[1] or "" for entry in entries if entry[3] == _SET_FOR_THE_TOPIC}
        found[name] = in_force, ours
    return found
