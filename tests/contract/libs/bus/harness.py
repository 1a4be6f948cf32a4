"""What a bus under test must offer beside the port, and small helpers of the suites."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from secrets import token_hex
from typing import Protocol

from libs.bus import Bus, Outgoing, Reader, Record, TopicSettings

WITHIN_MS = 20_000
SEND_MS = 10_000


class Harness(Protocol):
    """A bus that a test can also hurt; each test has its own."""

    async def open(self, topics: Mapping[str, TopicSettings]) -> Bus:
        """Return a started bus with these topics, which did not exist before."""

    async def forget(self) -> Bus:
        """Lose every record and position; return the bus as it comes back, same topics."""

    def stall(self, topic: str) -> AbstractAsyncContextManager[None]:
        """Keep the bus from confirming sends to a topic while the block runs."""

    async def close(self) -> None:
        """End what was started."""


def a_topic() -> str:
    """Return a name that no other test uses."""
    return f"contract.t{token_hex(6)}.v1"


def a_record(topic: str, partition: int, text: str, *, key: bytes = b"") -> Outgoing:
    """Return a record whose value is the text."""
    return Outgoing(topic, partition, key, text.encode(), b"envelope of " + text.encode())


async def publish_texts(bus: Bus, topic: str, partition: int, texts: Sequence[str]) -> None:
    """Publish one record per text to one partition."""
    await bus.publish([a_record(topic, partition, text) for text in texts], timeout_ms=SEND_MS)


async def take_records(reader: Reader, count: int) -> dict[int, list[Record]]:
    """Take until so many records have come; fails after a generous while."""
    taken: dict[int, list[Record]] = {}
    waited_ms = 0
    while sum(map(len, taken.values())) < count:
        assert waited_ms < WITHIN_MS, f"only {taken} came of {count}"
        batch = await reader.take(wait_ms=500, records_max=count)
        waited_ms += 0 if batch else 500
        for partition, records in batch.items():
            taken.setdefault(partition, []).extend(records)
    return taken


async def take_texts(reader: Reader, count: int) -> list[str]:
    """Take so many records and return their values, by partition and in order."""
    taken = await take_records(reader, count)
    return [record.value.decode() for _, records in sorted(taken.items()) for record in records]


async def nothing_comes(reader: Reader) -> bool:
    """Say whether a reader stays without records for a while."""
    return await reader.take(wait_ms=200, records_max=10) == {}
