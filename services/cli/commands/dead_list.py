"""``lesko dead list``: records that no service could handle, without what they hold."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Final, NamedTuple

import typer
from google.protobuf.message import DecodeError

from libs.bus import TopicUnknown
from libs.bus.kafka.bus import KafkaBus
from libs.bus.kafka.settings import KafkaSettings
from libs.bus.port import Record
from libs.bus.read_to_end import read_to_end
from libs.clock import SystemClock
from libs.contracts import topics
from libs.contracts.envelope import read_envelope
from libs.contracts.lesko.v1.dead_pb2 import DeadRecord
from services.cli.faults import CommandRefused
from services.cli.kafka_topics import kafka_in_use
from services.cli.screen import screen, write_json, write_table
from services.cli.settings import Settings

LISTED: Final = (topics.REQUESTS, topics.COMMANDS, topics.ENTRIES)


class Dead(NamedTuple):
    """A record that was set aside, as far as anybody may see it."""

    topic: str
    partition: int
    offset: int
    at: str
    fault: str
    schema: str
    bytes: int


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.callback()(_nothing)
    app.command("list")(list_dead)


def list_dead(
    *,
    last: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many a topic.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """List records that could not be handled: where each stood, when, and which fault it was."""
    settings = Settings()
    kafka = kafka_in_use(settings)
    if kafka is None:
        message = (
            "There is no Kafka here: on the memory bus what cannot be handled is counted "
            "(lesko_bus_dead_total) and is gone with the process."
        )
        raise CommandRefused(message)
    found = asyncio.run(_read(kafka, last))
    if as_json:
        write_json({"dead": [each._asdict() for each in found]})
        return
    if not found:
        screen().print("No record was set aside.")
        return
    rows = [
        (each.at, f"{each.topic}/{each.partition}@{each.offset}", each.fault, each.schema)
        for each in found
    ]
    write_table(screen(), ("set aside", "where it stood", "fault", "kind of record"), rows)


async def _read(kafka: KafkaSettings, last: int) -> list[Dead]:
    bus = KafkaBus(kafka, SystemClock(), client="lesko-dead-list")
    await bus.start()
    try:
        found: list[Dead] = []
        for topic in map(topics.dead_letters, LISTED):
            found.extend((await _read_topic(bus, topic, last))[-last:])
    finally:
        await bus.stop()
    return sorted(found, key=lambda each: each.at)


async def _read_topic(bus: KafkaBus, topic: str, last: int) -> list[Dead]:
    try:
        bounds = await bus.bounds(topic)
    except TopicUnknown:
        return []
    starts = {number: max(first, end - last) for number, (first, end) in bounds.items()}
    found: list[Dead] = []
    async for _, records in read_to_end(bus, topic, bounds, starts):
        found.extend(map(_dead, records))
    return sorted(found, key=lambda each: each.at)


def _dead(record: Record) -> Dead:
    """Return what may be told: never key, value or envelope."""
    try:
        dead = DeadRecord.FromString(record.value)
        schema = read_envelope(dead.envelope).schema
    except DecodeError:
        return Dead(record.topic, record.partition, record.offset, "", "not readable", "", 0)
    at = datetime.fromtimestamp(dead.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return Dead(dead.topic, dead.partition, dead.offset, at, dead.fault, schema, len(dead.value))


def _nothing() -> None:
    """Look at records that no service could handle."""
