"""A bridge with a partition that does not exist says so before it does anything."""

from pathlib import Path

import pytest

from libs.bus import MemoryBus, TopicSettings
from libs.clock import SystemClock
from libs.contracts.topics import BRIDGE_ANSWERS
from libs.observe import Health
from services.iso_bridge.adapters.answer_partition import (
    NoSuchAnswerPartition,
    check_answer_partition,
)
from services.iso_bridge.main import open_bridge
from services.iso_bridge.settings import BridgeKnobs, Settings, VaultSettings


async def test_refuses_it_before_the_registry_is_read(tmp_path: Path) -> None:
    """There is no registry here and there are no keys: whoever looked for them would fail else."""
    clock = SystemClock()
    bus = MemoryBus({BRIDGE_ANSWERS: TopicSettings(partitions=16)}, clock)
    await bus.start()
    settings = Settings(
        vault=VaultSettings(keys_directory=tmp_path), iso_bridge=BridgeKnobs(answer_partition=99)
    )

    sentence = r"LESKO_ISO_BRIDGE__ANSWER_PARTITION=99 is none of the 16 .* from 0 to 15"
    with pytest.raises(NoSuchAnswerPartition, match=sentence):
        async with open_bridge(settings, bus=bus, clock=clock, health=Health()):
            pass

    await bus.stop()


@pytest.mark.parametrize(("wanted", "is_good"), [(0, True), (15, True), (16, False)])
async def test_takes_every_number_that_there_is(wanted: int, is_good: bool) -> None:  # noqa: FBT001 -- parametrized.
    """The last one is one less than there are."""
    bus = MemoryBus({BRIDGE_ANSWERS: TopicSettings(partitions=16)}, SystemClock())
    await bus.start()
    found = True

    try:
        await check_answer_partition(bus, wanted)
    except NoSuchAnswerPartition:
        found = False

    assert is_good == found
    await bus.stop()
