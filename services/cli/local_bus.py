"""The bus of ``lesko run``: memory, or Kafka with its topics made, on a broker of our own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from libs.bus.kafka.admin import TopicsReport
from libs.bus.kafka.local_broker import start_broker
from libs.bus.kafka.settings import KafkaSettings
from services.cli.kafka_topics import make_topics
from services.cli.settings import Settings

Say = Callable[[str], None]


@asynccontextmanager
async def open_bus(
    settings: Settings, *, on_kafka: bool, say: Say
) -> AsyncIterator[tuple[Settings, str]]:
    """Give the settings with the bus to use, and what people should know of it.

    The Kafka that the settings name is used as it is; with ``on_kafka`` and none named, a broker
    of our own runs until the block is left. Raises LocalBrokerFault, TopicsRefused, BusUnavailable.
    """
    if settings.kafka is not None:
        _tell(await make_topics(settings, settings.kafka), say)
        yield settings, f"Kafka at {settings.kafka.bootstrap} (LESKO_KAFKA__BOOTSTRAP)"
    elif on_kafka:
        say("Starting Kafka ...")
        async with start_broker(settings.home / "kafka", report=say) as broker:
            kafka = KafkaSettings(bootstrap=broker.bootstrap)
            _tell(await make_topics(settings, kafka), say)
            known = settings.model_copy(update={"kafka": kafka})
            yield known, f"Kafka at {broker.bootstrap}, our own, data in {broker.data_directory}"
    else:
        yield settings, "memory, in this process"


def _tell(report: TopicsReport, say: Say) -> None:
    if made := sum(change.what == "topic" for change in report.changes):
        say(f"Made {made} topics.")
    for finding in report.findings:
        if finding.is_wrong:
            say(f"{finding.topic}: {finding.what} is {finding.found}, wanted {finding.wanted}.")
