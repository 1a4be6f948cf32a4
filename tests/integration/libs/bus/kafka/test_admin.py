"""Topics on a real Kafka: made, repaired, grown where that is safe, refused where it is not."""

import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from libs.bus import BusUnavailable, TopicSettings
from libs.bus.kafka.admin import Change, TopicsRefused, TopicState, apply_topics, check_topics
from libs.bus.kafka.settings import KafkaSettings

DAY_MS = 86_400_000


@pytest.fixture
def kafka(kafka_broker: str) -> KafkaSettings:
    return KafkaSettings(bootstrap=kafka_broker)


@pytest.fixture
async def client(kafka_broker: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """Give somebody else who changes topics."""
    other = AIOKafkaAdminClient(bootstrap_servers=kafka_broker)
    await other.start()
    yield other
    await other.close()


@pytest.fixture
async def name(client: AIOKafkaAdminClient) -> AsyncIterator[str]:
    """Give the name of a topic that nobody has, and remove the topic."""
    topic = f"test.admin_{secrets.token_hex(4)}.v1"
    yield topic
    await client.delete_topics([topic])


async def state_of(
    kafka: KafkaSettings, topics: Mapping[str, TopicSettings], name: str
) -> TopicState:
    """Return how a topic is, when Kafka is asked afresh."""
    report = await check_topics(kafka, topics, replication=1)
    return {state.name: state for state in report.states}[name]


async def make(client: AIOKafkaAdminClient, name: str, partitions: int, **configs: str) -> None:
    """Have somebody else make a topic."""
    topic = NewTopic(name, partitions, 1, topic_configs=configs)
    await client.create_topics([topic])


class TestApplyTopics:
    async def test_makes_what_is_missing_once(self, kafka: KafkaSettings, name: str) -> None:
        """It is as asked for at once, and a second run has nothing to do."""
        topics = {name: TopicSettings(partitions=3, retention_days=2)}

        before = await check_topics(kafka, topics, replication=1)
        first = await apply_topics(kafka, topics, replication=1)
        second = await apply_topics(kafka, topics, replication=1)

        assert not before.is_good
        assert [Change(name, "partitions", "no topic", "3")] == first.changes
        assert [] == second.changes
        assert first.is_good
        state = await state_of(kafka, topics, name)
        assert (3, 1, 1, 0) == (
            state.partitions, state.replicas, state.in_sync, state.leaderless,
        )  # fmt: skip
        assert ("delete", str(2 * DAY_MS), "LogAppendTime") == (
            state.configs["cleanup.policy"],
            state.configs["retention.ms"],
            state.configs["message.timestamp.type"],
        )

    async def test_makes_a_compacted_one(self, kafka: KafkaSettings, name: str) -> None:
        """It keeps the newest record of each key."""
        topics = {name: TopicSettings(partitions=1, compacted=True)}

        await apply_topics(kafka, topics, replication=1)

        assert "compact" == (await state_of(kafka, topics, name)).configs["cleanup.policy"]

    async def test_repairs_configs_and_leaves_others_alone(
        self, kafka: KafkaSettings, client: AIOKafkaAdminClient, name: str
    ) -> None:
        """What loses records is raised; what is more than enough, and not ours, stays."""
        await make(
            client, name, 1,
            **{"retention.ms": "1000", "max.message.bytes": "9000000", "segment.ms": "777000"},
        )  # fmt: skip
        topics = {name: TopicSettings(partitions=1, retention_days=1)}

        report = await apply_topics(kafka, topics, replication=1)

        assert Change(name, "retention.ms", "1000", str(DAY_MS)) in report.changes
        configs = (await state_of(kafka, topics, name)).configs
        assert (str(DAY_MS), "9000000", "777000") == (
            configs["retention.ms"], configs["max.message.bytes"], configs["segment.ms"],
        )  # fmt: skip
        assert report.is_good

    async def test_adds_partitions_where_keys_do_not_mind(
        self, kafka: KafkaSettings, name: str
    ) -> None:
        """More instances of an edge need more partitions; fewer are never made."""
        topics = {name: TopicSettings(partitions=2)}
        await apply_topics(kafka, topics, replication=1)

        grown = await apply_topics(kafka, {name: TopicSettings(partitions=4)}, replication=1)
        shrunk = await apply_topics(kafka, topics, replication=1)

        assert [Change(name, "partitions", "2", "4")] == grown.changes
        assert [] == shrunk.changes
        assert ["partitions"] == [each.what for each in shrunk.findings if each.is_wrong]
        assert 4 == (await state_of(kafka, topics, name)).partitions

    async def test_adds_none_to_a_compacted_one(self, kafka: KafkaSettings, name: str) -> None:
        """Its keys would have their newest record in two places."""
        compacted = TopicSettings(partitions=1, compacted=True)
        await apply_topics(kafka, {name: compacted}, replication=1)

        wider = {name: replace(compacted, partitions=2)}
        report = await apply_topics(kafka, wider, replication=1)

        assert [] == report.changes
        assert not report.is_good

    async def test_refuses_mixed_partitions_before_it_changes_anything(
        self, kafka: KafkaSettings, name: str
    ) -> None:
        """A ledger's number is fixed: not even the other topics are made then."""
        await apply_topics(kafka, {name: TopicSettings(partitions=2)}, replication=1)
        other = name.replace("admin", "other")
        wanted = {other: TopicSettings(partitions=4), name: TopicSettings(partitions=4)}

        with pytest.raises(TopicsRefused, match=f"2 instead of 4 in {name}"):
            await apply_topics(kafka, wanted, replication=1, fixed={name})

        report = await check_topics(kafka, wanted, replication=1)
        assert [(name, 2)] == [(state.name, state.partitions) for state in report.states]

    async def test_refuses_more_copies_than_brokers(self, kafka: KafkaSettings, name: str) -> None:
        """The sentence names the setting."""
        with pytest.raises(TopicsRefused, match=r"LESKO_KAFKA__REPLICATION asks for 9"):
            await apply_topics(kafka, {name: TopicSettings(partitions=1)}, replication=9)

    async def test_says_what_kafka_refuses(self, kafka: KafkaSettings) -> None:
        """Kafka's own words stand in the sentence."""
        with pytest.raises(TopicsRefused, match="refuses to make a b"):
            await apply_topics(kafka, {"a b": TopicSettings(partitions=1)}, replication=1)


class TestCheckTopics:
    async def test_changes_nothing(self, kafka: KafkaSettings, name: str) -> None:
        """A missing topic is still missing afterwards."""
        topics = {name: TopicSettings(partitions=1)}

        reports = [await check_topics(kafka, topics) for _ in range(2)]

        assert all(not report.states and not report.is_good for report in reports)

    async def test_says_that_kafka_is_away(self) -> None:
        """Within its patience, and with the setting that names it."""
        away = KafkaSettings(bootstrap="127.0.0.1:9")

        with pytest.raises(BusUnavailable, match=r"127\.0\.0\.1:9 \(LESKO_KAFKA__BOOTSTRAP\)"):
            await check_topics(away, {}, patience_s=0.2)
