"""``lesko topics``: what a person sees and what the exit code says, on a Kafka of its own."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from libs.bus.kafka.local_broker import LocalBroker
from libs.contracts import topics as names

REPOSITORY = Path(__file__).parents[4]
WAIT_S = 60
LEDGER = {"card_ledger": "services/card_ledger/migrations"}

MakeDatabase = Callable[[Mapping[str, str]], Awaitable[str]]


class Lesko:
    """The command against one Kafka; ``LESKO_*`` of this shell do not reach it."""

    def __init__(self, bootstrap: str | None) -> None:
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("LESKO_")}
        if bootstrap is not None:
            self._environment["LESKO_KAFKA__BOOTSTRAP"] = bootstrap

    async def call(self, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run ``lesko topics`` with these words and variables to its end."""
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "services.cli", "topics", *words],
            cwd=REPOSITORY,
            env={**self._environment, **more},
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )

    async def tell(self, *words: str, **more: str) -> tuple[int, dict[str, Any]]:
        """Return its exit code and what it says as JSON."""
        ended = await self.call(*words, "--json", **more)
        return ended.returncode, json.loads(ended.stdout)


@pytest.fixture
async def lesko(
    start_own_broker: Callable[[], AbstractAsyncContextManager[LocalBroker]],
) -> AsyncIterator[Lesko]:
    """Give the command and a Kafka that has no topics yet."""
    async with start_own_broker() as broker:
        yield Lesko(broker.bootstrap)


def partitions(told: Mapping[str, Any]) -> dict[str, int]:
    return {topic["topic"]: topic["partitions"] for topic in told["topics"]}


def wrong(told: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (each["what"], each["found"], each["wanted"])
        for each in told["findings"]
        if each["is_wrong"]
    ]


async def test_makes_the_topics_of_the_switch(lesko: Lesko) -> None:
    """Before, check is red; then apply makes them, is green itself, and check shows them."""
    before = await lesko.call("check")
    code, applied = await lesko.tell("apply")
    after = await lesko.call("check")

    assert 1 == before.returncode
    assert "no topic" in before.stdout
    assert 0 == code
    assert 9 == len(applied["changes"])
    assert (8, 8, 16, 1) == tuple(
        partitions(applied)[name]
        for name in (names.COMMANDS, names.ENTRIES, names.BRIDGE_ANSWERS, names.REGISTRY)
    )
    assert 0 == after.returncode
    assert names.COMMANDS in after.stdout
    assert "single broker" in after.stdout  # Known, not wrong.


async def test_follows_the_books(lesko: Lesko, make_database: MakeDatabase) -> None:
    """The number that is stored with the books counts; a setting that differs is shown as wrong."""
    dsn = await make_database(LEDGER)
    fresh = await lesko.tell("check", LESKO_POSTGRES__DSN=dsn, LESKO_CARD_LEDGER__PARTITIONS="3")
    connection = await asyncpg.connect(dsn)
    await connection.execute("INSERT INTO card_ledger.setting (partitions) VALUES (4)")
    await connection.close()

    code, applied = await lesko.tell("apply", LESKO_POSTGRES__DSN=dsn)
    agreed = await lesko.tell("check", LESKO_POSTGRES__DSN=dsn, LESKO_CARD_LEDGER__PARTITIONS="4")
    mixed = await lesko.call("apply", LESKO_CARD_LEDGER__PARTITIONS="3")

    assert ("partitions", "no topic", "3") in wrong(fresh[1])  # No number is stored yet.
    ledgers = (names.REQUESTS, names.COMMANDS, names.ENTRIES)
    assert {4} == {partitions(applied)[name] for name in ledgers}
    assert (1, [("LESKO_CARD_LEDGER__PARTITIONS", "8", "4")]) == (code, wrong(applied))
    assert (0, []) == (agreed[0], wrong(agreed[1]))
    assert 1 == mixed.returncode
    assert "4 instead of 3 in authorization.requests.v1" in mixed.stderr
    assert 1 == len(mixed.stderr.splitlines())


@pytest.mark.parametrize(
    ("bootstrap", "more", "sentence"),
    [
        (None, {}, "LESKO_KAFKA__BOOTSTRAP is not set"),
        ("127.0.0.1:9", {}, "Kafka at 127.0.0.1:9 (LESKO_KAFKA__BOOTSTRAP) cannot be reached"),
        ("127.0.0.1:9", {"LESKO_KAFKA__REPLICATION": "0"}, "LESKO_KAFKA__REPLICATION"),
        (
            "127.0.0.1:9",
            {"LESKO_POSTGRES__DSN": "postgresql://u:quiet@127.0.0.1:9/x"},
            "PostgreSQL",
        ),
        (
            "127.0.0.1:9",
            {"LESKO_POSTGRES__DSN": "postgresql://u:qui/quiet@127.0.0.1:9/x"},
            "LESKO_POSTGRES__DSN is no address of a database",
        ),
        (
            "127.0.0.1:9",
            {"LESKO_POSTGRES__DSN": "host=127.0.0.1 password=quiet"},
            "LESKO_POSTGRES__DSN is no address of a database",
        ),
    ],
)
async def test_says_in_one_sentence_what_is_missing(
    bootstrap: str | None, more: dict[str, str], sentence: str
) -> None:
    """No traceback, no chatter of a driver, no password."""
    ended = await Lesko(bootstrap).call("check", **more)

    assert 1 == ended.returncode
    assert sentence in ended.stderr
    assert 1 == len(ended.stderr.splitlines())
    assert "quiet" not in ended.stderr
