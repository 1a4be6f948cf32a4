"""Which bus a process is on: Kafka where the settings name one, else memory."""

from pydantic import BaseModel, ConfigDict, Field

from libs.bus import Bus, MemoryBus, TopicSettings, load_topics, with_partitions
from libs.bus.kafka.bus import KafkaBus
from libs.clock import Clock
from libs.settings import LeskoSettings
from services.cli.settings import Settings
from services.cli.topics_plan import OF_THE_LEDGER, TOPICS_FILE


class _LedgerPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    partitions: int = Field(default=8, ge=1, le=64)


class _TopicKnobs(LeskoSettings):
    """LESKO_CARD_LEDGER__PARTITIONS, for whoever makes topics."""

    card_ledger: _LedgerPart = _LedgerPart()


def choose_bus(settings: Settings, clock: Clock, *, client: str) -> Bus:
    """Return the bus, not open yet; ``client`` is how Kafka's operators see this process."""
    if settings.kafka is not None:
        return KafkaBus(settings.kafka, clock, client=f"lesko-{client}")
    return MemoryBus(wanted_topics(), clock)


def bus_title(settings: Settings) -> str:
    """Return which bus is in use, for logs."""
    return "memory" if settings.kafka is None else settings.kafka.bootstrap


def wanted_topics() -> dict[str, TopicSettings]:
    """Return all topics as they should be, with the number of partitions of the books."""
    partitions = _TopicKnobs().card_ledger.partitions
    return with_partitions(load_topics(TOPICS_FILE), dict.fromkeys(OF_THE_LEDGER, partitions))
