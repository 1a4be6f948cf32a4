"""Versions side by side: an upgrade is rolled out process by process, and back, amid purchases.

Every process is restarted in order twice meanwhile, the working ledger too: nobody is refused.

Tomorrow's version is made here from today's: every record that it writes has a field more, in the
value and in the envelope, and every service's tables have a column more.
"""

import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from libs.bus.kafka.bus import KafkaBus
from libs.bus.kafka.settings import KafkaSettings
from libs.bus.read_to_end import read_to_end
from libs.clock import SystemClock
from libs.contracts import topics
from loadtests import commands
from loadtests.embedded_switch import LESKO, REPOSITORY
from loadtests.entries import read_heads
from loadtests.fleet import Fleet, today
from loadtests.rolling_terminals import Trade
from loadtests.rolling_trials import LEDGERS, Rolling
from loadtests.stack import Stack
from services.cli.commands.dead_list import LISTED
from tests.e2e.kafka_scene import CARDS, RATE, TERMINALS, a_stack, served, settle

pytestmark = [pytest.mark.e2e, pytest.mark.postgres]

OpenDirectory = Callable[[], AbstractContextManager[Path]]

PARTS = ("services", "libs", "proto", "deploy")
FIELD = b"\xe2\x76\x08tomorrow"
"""Field 1900, a string: what a version of tomorrow may add to any message."""

SEND = "await send(topic, value, key, partition, now_ms, [(HEADER, envelope)])"
SEND_MORE = SEND.replace("value", f"value + {FIELD!r}").replace("envelope", f"envelope + {FIELD!r}")
COLUMNS = {
    "admin": "ALTER TABLE admin.registry ADD COLUMN of_tomorrow text DEFAULT 'x';",
    "authorization": "ALTER TABLE \"authorization\".card ADD COLUMN of_tomorrow text DEFAULT 'x';",
    "card_ledger": """
        ALTER TABLE card_ledger.account ADD COLUMN of_tomorrow text DEFAULT 'x';
        ALTER TABLE card_ledger.owner ADD COLUMN of_tomorrow text DEFAULT 'x';
    """,
}
ORDER = ("admin", "authorization", "iso_bridge")
MIGRATE_WITHIN_S = 60.0


def make_tomorrow(root: Path) -> Path:
    """Copy the product and take it one version further."""
    for part in PARTS:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / part, root / part, ignore=ignore)
    producer = root / "libs" / "bus" / "kafka" / "producer.py"
    text = producer.read_text()
    assert 1 == text.count(SEND)
    producer.write_text(text.replace(SEND, SEND_MORE))
    for service, sql in COLUMNS.items():
        folder = root / "services" / service / "migrations"
        (folder / f"{len(list(folder.glob('*.sql'))) + 1:04}_of_tomorrow.sql").write_text(sql)
    return root


def command_of(root: Path, *words: str) -> Sequence[str]:
    """Return the command of the version below a folder."""
    return ["/usr/bin/env", "-C", str(root), f"PYTHONPATH={root}", *LESKO, *words]


async def roll(stack: Stack, rolling: Rolling, trade: Trade, root: Path) -> list[int]:
    """Restart each process in order with the version below a folder; return how they ended."""
    working = await rolling.wait_ledgers(LEDGERS)
    codes = []
    for name in (*ORDER, working, *(each for each in LEDGERS if each != working)):
        service = "card_ledger" if name in LEDGERS else name
        stack[name].run_by(command_of(root, "serve", service))
        ledgers = LEDGERS if name in LEDGERS else ()
        codes.append((await rolling.restart(name, ledgers))["exit_code"])
        await served(trade, 15)
    return codes


async def values(bootstrap: str, *names: str) -> list[tuple[str, bytes]]:
    """Return every record's topic and value."""
    bus = KafkaBus(KafkaSettings(bootstrap=bootstrap), SystemClock(), client="test-versions")
    await bus.start()
    found = list[tuple[str, bytes]]()
    try:
        for name in names:
            bounds = await bus.bounds(name)
            starts = {number: first for number, (first, _) in bounds.items()}
            async for _, records in read_to_end(bus, name, bounds, starts):
                found.extend((name, record.value) for record in records)
    finally:
        await bus.stop()
    return found


async def test_an_upgrade_goes_forward_and_back(
    open_directory: OpenDirectory, postgres_dsn: str
) -> None:
    """Nobody is refused, nothing is set aside, and both versions work on the newer tables."""
    with open_directory() as work:
        async with a_stack(work, postgres_dsn) as stack:
            tomorrow = make_tomorrow(work / "tomorrow")
            begins = await read_heads(stack.dsn)
            fleet, bridge = Fleet(TERMINALS, today()), stack["iso_bridge"].port
            trade = Trade(fleet, [bridge], cards=CARDS, rate=RATE, seed="versions")
            rolling = Rolling(stack, trade)
            await stack.start()
            await rolling.wait_whole()
            try:
                trade.open()
                await served(trade, 25)
                await commands.run(
                    "lesko migrate", command_of(tomorrow, "migrate"),
                    env=stack.environment(), timeout_s=MIGRATE_WITHIN_S,
                )  # fmt: skip
                forward = await roll(stack, rolling, trade, tomorrow)
                back = await roll(stack, rolling, trade, REPOSITORY)
                await settle(stack, trade, begins)
            finally:
                await trade.hang_up()
            sent = await values(
                stack.broker.bootstrap,
                topics.REQUESTS, topics.COMMANDS, topics.ENTRIES, topics.REGISTRY,
            )  # fmt: skip
            dead = await values(stack.broker.bootstrap, *map(topics.dead_letters, LISTED))

    assert ([0] * 5, [0] * 5) == (forward, back)
    by_tomorrow = {topic for topic, value in sent if value.endswith(FIELD)}
    by_today = {topic for topic, value in sent if not value.endswith(FIELD)}
    assert {topic for topic, _ in sent} == by_tomorrow == by_today
    assert 4 == len(by_today)
    assert [] == dead
