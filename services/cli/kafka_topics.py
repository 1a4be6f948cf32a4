"""The topics of the Kafka in use: make them, look at them, without a command around it."""

from libs.bus.kafka.admin import TopicsReport, apply_topics, check_topics
from libs.bus.kafka.settings import KafkaSettings
from services.cli.bus_choice import wanted_topics
from services.cli.settings import Settings
from services.cli.standing import read_standing
from services.cli.topics_plan import OF_THE_LEDGER, make_plan


def kafka_in_use(settings: Settings) -> KafkaSettings | None:
    """Return the Kafka that the settings name, else that of a run that is up here."""
    standing = read_standing(settings.home)
    if settings.kafka is None and standing is not None and standing.bootstrap is not None:
        return KafkaSettings(bootstrap=standing.bootstrap)
    return settings.kafka


async def look_at_topics(settings: Settings, kafka: KafkaSettings) -> TopicsReport:
    """Compare topics with what they should be, as ``lesko topics check``; raises its faults."""
    if settings.kafka is None:
        return await check_topics(kafka, wanted_topics())
    plan = await make_plan()
    report = await check_topics(plan.kafka, plan.topics, replication=plan.kafka.replication)
    return report._replace(findings=[*plan.findings, *report.findings])


async def make_topics(settings: Settings, kafka: KafkaSettings) -> TopicsReport:
    """Make what is missing, as ``lesko topics apply``; raises its faults."""
    if settings.kafka is None:
        return await apply_topics(kafka, wanted_topics(), fixed=OF_THE_LEDGER)
    plan = await make_plan()
    return await apply_topics(
        plan.kafka, plan.topics, replication=plan.kafka.replication, fixed=plan.fixed
    )
