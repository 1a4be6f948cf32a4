"""The bad clients themselves: each does to a real edge what its name says."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from loadtests import hostile_clients
from loadtests.hostile_clients import (
    ATTACKS,
    DRIBBLING,
    FLOOD,
    HALF_OPEN,
    NOT_READING,
    SILENT,
)
from tests.integration.services.iso_bridge.bridge import Switch, open_switch, purchase

LINES = 20
TERMINAL = 3

Seen = Callable[[Switch, Counter[str]], bool]


def silent_about(switch: Switch) -> float:
    """Return how many messages above their terminal's rate the edge has counted."""
    return switch.count("bridge_silent", reason="terminal_rate")


SEEN: dict[str, Seen] = {
    SILENT: lambda switch, did: len(switch.bridge.listeners[0]) == did["opened"] == LINES,
    DRIBBLING: lambda switch, did: len(switch.bridge.listeners[0]) == did["opened"] == LINES,
    HALF_OPEN: lambda _, did: did["opened"] == did["vanished"] + did["kept_open"] == LINES,
    FLOOD: lambda switch, did: did["messages"] > silent_about(switch) > 1_000,
    NOT_READING: lambda switch, did: did["messages"] > 0 and silent_about(switch) > 0,
}


@pytest.mark.parametrize("kind", sorted(ATTACKS))
async def test_attacks_and_leaves_others_their_answers(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands, the edge meets it, and a good terminal buys meanwhile."""
    monkeypatch.setattr(hostile_clients, "CONNECTIONS", LINES)
    did, stands = Counter[str](), asyncio.Event()
    async with open_switch(tmp_path, terminal_per_second=50, terminal_burst=100) as switch:
        port = switch.bridge.ports["edc"]
        attacking = asyncio.ensure_future(ATTACKS[kind](port, TERMINAL, did, stands))
        async with asyncio.timeout(30):
            await stands.wait()
            while not SEEN[kind](switch, did):  # noqa: ASYNC110 -- there is no event.
                await asyncio.sleep(0.01)
            line = await switch.dial()
            assert await line.ask(purchase(terminal=1)) == "00"
            await line.close()
        attacking.cancel()
        await asyncio.wait({attacking})
