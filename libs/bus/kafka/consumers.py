"""Making aiokafka's consumers and asking them where a log begins and ends; no records here."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from libs.bus.faults import BusUnavailable
from libs.bus.kafka.settings import KafkaLimits, KafkaSettings

_RETRY_MS: Final = 50
_METADATA_MS: Final = 10_000
_ANSWER_MS: Final = 5_000  # What a broker may take beyond the time it was told to wait.


class Bounds(NamedTuple):
    """A partition's log: its first offset and the one behind its last."""

    first: int
    end: int


def make_consumer(
    settings: KafkaSettings,
    limits: KafkaLimits,
    *,
    client: str,
    group: str | None = None,
    member: str = "",
) -> AIOKafkaConsumer:
    """Return a consumer that never commits or resets a position by itself; not started."""
    of_group: dict[str, Any] = {}
    if group is not None:
        of_group = {
            "group_id": group,
            "group_instance_id": member or None,
            "session_timeout_ms": limits.session_ms,
            "rebalance_timeout_ms": limits.session_ms,
            "heartbeat_interval_ms": limits.heartbeat_ms,
        }
    return AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap,
        client_id=client,
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=limits.fetch_wait_ms,
        fetch_max_bytes=limits.fetch_bytes_max,
        max_partition_fetch_bytes=limits.partition_bytes_max,
        # A request to join is answered when the others have joined too.
        request_timeout_ms=max(limits.request_ms, limits.session_ms + _ANSWER_MS if group else 0),
        retry_backoff_ms=_RETRY_MS,
        metadata_max_age_ms=_METADATA_MS,
        **of_group,
        **settings.security(),
    )


async def find_bounds(
    consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition], *, limit_ms: int
) -> dict[TopicPartition, Bounds]:
    """Ask the brokers; raises BusUnavailable."""
    places = list(partitions)
    try:
        async with asyncio.timeout(limit_ms / 1000):
            firsts = await consumer.beginning_offsets(places)
            ends = await consumer.end_offsets(places)
    except (KafkaError, TimeoutError) as trouble:
        message = f"nobody tells where a log begins and ends ({type(trouble).__name__})"
        raise BusUnavailable(message) from None
    return {place: Bounds(firsts[place], ends[place]) for place in places}


async def find_offset(
    consumer: AIOKafkaConsumer, place: TopicPartition, *, since_ms: int, limit_ms: int
) -> int | None:
    """Ask for the first offset from a time on; None: there is none. Raises BusUnavailable."""
    try:
        async with asyncio.timeout(limit_ms / 1000):
            found = (await consumer.offsets_for_times({place: since_ms}))[place]
    except (KafkaError, TimeoutError) as trouble:
        message = f"nobody tells where a log was at a time ({type(trouble).__name__})"
        raise BusUnavailable(message) from None
    return None if found is None else int(found.offset)
