"""What becomes of a request that cannot be handled."""

from collections.abc import Sequence

import pytest

from libs.bus import Outgoing, PartitionStopped, Record
from libs.contracts.lesko.v1.authorization_pb2 import (
    OPERATION_INQUIRY,
    OPERATION_PURCHASE,
    OPERATION_REVERSAL,
)
from libs.fakes.cards import a_request, a_request_record
from services.authorization.handlers.set_aside import SetAside


async def a_dead_letter(record: Record, fault: str) -> Sequence[Outgoing]:
    return [Outgoing("dead", record.partition, record.key, fault.encode(), b"")]


@pytest.mark.parametrize(
    "value",
    [
        b"\xff",
        a_request(OPERATION_PURCHASE).SerializeToString(),
        a_request(OPERATION_INQUIRY).SerializeToString(),
    ],
)
async def test_sends_a_dead_letter(value: bytes) -> None:
    """Whoever asked hears nothing and reverses; operators find the record."""
    [sent] = await SetAside(a_dead_letter)(a_request_record(value), "GoodsBroken")

    assert ("dead", b"GoodsBroken") == (sent.topic, sent.value)


async def test_stops_the_partition_at_a_reversal() -> None:
    """Somebody's money waits for it: it is never skipped, and the sentence names its place."""
    record = a_request_record(a_request(OPERATION_REVERSAL), partition=2, offset=77)

    with pytest.raises(PartitionStopped, match="2@77"):
        await SetAside(a_dead_letter)(record, "KeyError")
