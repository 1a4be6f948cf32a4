"""The drill: lose the database after a backup, bring it back, and owe nobody anything."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from libs.bus.kafka.local_broker import LocalBroker
from libs.pg.server import Server, start_server
from libs.tcp import free_port
from tests.e2e.process import Lesko, Running, a_lesko
from tests.e2e.terminals import Key, Terminals, effects

pytestmark = [pytest.mark.e2e, pytest.mark.postgres]

OpenDirectory = Callable[[], AbstractContextManager[Path]]
StartBroker = Callable[[], AbstractAsyncContextManager[LocalBroker]]

PURCHASES = 1_000
SEED = ("--cards", "100", "--outlets", "8")
BOUND_S = 60


def settings(server: Server, broker: LocalBroker, keys: Path, backups: Path) -> dict[str, str]:
    """Return what every process of one installation is told."""
    return {
        "LESKO_POSTGRES__DSN": server.dsn,
        "LESKO_KAFKA__BOOTSTRAP": broker.bootstrap,
        "LESKO_VAULT__KEYS_DIRECTORY": str(keys),
        "LESKO_BACKUP__DIRECTORY": str(backups),
        "LESKO_BACKUP__DSN": server.admin_dsn,
        "LESKO_ADMIN__PORT": str(free_port()),
    }


def problems(lesko: Lesko) -> dict[str, str] | None:
    """Return what /readyz complains of; None while nobody answers there."""
    try:
        url = f"http://127.0.0.1:{lesko.web_port}/readyz"
        found = json.load(urllib.request.urlopen(url, timeout=5))
    except urllib.error.HTTPError as answer:
        found = json.load(answer)
    except OSError:
        return None
    return dict(found["problems"])


async def until(lesko: Lesko, running: Running, is_so: Callable[[dict[str, str]], bool]) -> None:
    """Wait for what /readyz says."""
    end = time.monotonic() + BOUND_S
    while (found := problems(lesko)) is None or not is_so(found):
        assert running.process.poll() is None, running.text
        assert time.monotonic() < end, found
        await asyncio.sleep(0.05)


def succeed(lesko: Lesko, *words: str) -> str:
    """Run a command that must go well; return what it said."""
    done = lesko.call(*words)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


async def buy(terminals: Terminals, count: int) -> set[Key]:
    """Buy so often and wait for every answer; return the keys."""
    before = set(terminals.sent)
    while len(terminals.sent) - len(before) < count:
        terminals.buy(100)
        await terminals.wait_answered(terminals.sent, BOUND_S)
    return terminals.sent - before


def paid(terminals: Terminals, keys: set[Key], booked: dict[Key, tuple[int, int]]) -> None:
    """Assert that what was answered is what stands in the books, key by key."""
    approved = {key for key in keys if terminals.answers[key][0] == "00"}
    assert approved == {key for key in keys if booked.get(key, (0, 0))[0] > 0}
    assert len(approved) > len(keys) // 2


async def test_brings_back_what_was_answered(
    open_directory: OpenDirectory, start_own_broker: StartBroker
) -> None:
    """Base backup, 1,000 purchases, back to before them, recover: books, heads and answers fit."""
    with open_directory() as home:
        backups, keys = home / "backups", home / "keys"
        async with start_own_broker() as broker:
            async with start_server(home / "lost", shared_buffers_mb=64) as server:
                moment, terminals, heads = await lose(server, broker, home, keys, backups)
            (home / "new" / "keys").parent.mkdir()
            with a_lesko(home / "new", {"LESKO_VAULT__KEYS_DIRECTORY": str(keys)}) as lesko:
                said = succeed(
                    lesko, "restore", "--from", str(backups), "--to", moment,
                    "--into", str(home / "new" / "home"),
                )  # fmt: skip
                assert "The books are clean" in said
                refused = lesko.call(
                    "restore", "--from", str(backups), "--into", str(home / "new" / "home")
                )
                assert (1, True) == (refused.returncode, "holds data" in refused.stderr)
            root = home / "new" / "home" / "postgres"
            async with start_server(root, shared_buffers_mb=64) as server:
                extra = settings(server, broker, keys, home / "other")
                with a_lesko(home / "new", extra) as lesko:
                    await recover(lesko, server, terminals, heads)


async def lose(
    server: Server, broker: LocalBroker, home: Path, keys: Path, backups: Path
) -> tuple[str, Terminals, Path]:
    """Trade with a backup in between; return the moment before most of it, and what was heard."""
    (home / "old").mkdir()
    with a_lesko(home / "old", settings(server, broker, keys, backups)) as lesko:
        for words in (
            ("migrate",), ("topics", "apply"), ("seed", *SEED), ("backup", "init-key"),
        ):  # fmt: skip
            succeed(lesko, *words)
        switch = lesko.start("serve")
        await until(lesko, switch, lambda found: not found)
        terminals = Terminals(lesko.edc_port)
        await terminals.dial()
        await buy(terminals, 100)
        succeed(lesko, "backup")
        assert lesko.tell("backup", "--check", str(backups))["clean"]
        moment = datetime.now(UTC).isoformat()
        await asyncio.sleep(0.01)
        await buy(terminals, PURCHASES)
        heads = home / "heads.json"
        heads.write_text(json.dumps(lesko.tell("ledger", "head")))
        booked = await effects(server.dsn)
        await terminals.hang_up()
        assert 0 == switch.stop(), switch.text
    paid(terminals, terminals.sent, booked)
    assert len(terminals.sent) >= PURCHASES + 100
    return moment, terminals, heads


async def recover(lesko: Lesko, server: Server, terminals: Terminals, heads: Path) -> None:
    """See the ledger wait, recover, and see that nothing is owed to anybody."""
    before = await effects(server.dsn)
    assert 100 <= len(before) < 200, len(before)
    alone = lesko.start("serve", "card_ledger")
    await until(
        lesko,
        alone,
        lambda found: "lesko ledger recover" in found.get("card_ledger.leases", ""),
    )
    without = lesko.call("ledger", "recover")
    assert (1, True) == (without.returncode, "two people" in without.stderr)
    said = succeed(lesko, "ledger", "recover", "--emergency", "drill")
    assert "Brought back" in said
    await until(lesko, alone, lambda found: not found)
    assert 0 == alone.stop(), alone.text
    again = succeed(lesko, "ledger", "recover", "--emergency", "drill again")
    assert "Nothing was missing" in again
    assert "drill" in (lesko.home / "log" / "recovery.jsonl").read_text()

    paid(terminals, terminals.sent, await effects(server.dsn))
    assert "clean" in succeed(lesko, "ledger", "verify", "--head", str(heads))
    switch = lesko.start("serve")
    await until(lesko, switch, lambda found: not found)
    first = dict(terminals.answers)
    after = Terminals(lesko.edc_port, first_stan=5_000)
    await after.dial()
    repeats = set(sorted(terminals.sent)[-50:])
    after.ask_again("0201", repeats)
    await after.wait_answered(repeats, BOUND_S)
    fresh = await buy(after, 100)
    await after.hang_up()
    assert {key: first[key] for key in repeats} == {key: after.answers[key] for key in repeats}
    paid(after, fresh, await effects(server.dsn))
    succeed(lesko, "ledger", "verify", "--head", str(heads))
    assert 0 == switch.stop()


async def test_lists_terminals_where_there_is_no_kafka(open_directory: OpenDirectory) -> None:
    """On the memory bus nothing can be replayed: each terminal's last row is listed as CSV."""
    with open_directory() as home, a_lesko(home, {"LESKO_ADMIN__PORT": str(free_port())}) as lesko:
        run = lesko.start("run", *SEED)
        run.wait_for("The switch is up.")
        lesko.tell("iso", "send", "purchase", "--card-serial", "3", "--amount", "50000",
                   "--stan", "77")  # fmt: skip

        said = succeed(lesko, "ledger", "recover", "--terminals")

        assert 0 == run.stop()
    lines = said.strip().splitlines()
    assert "outlet,terminal,stan,at,kind,outcome,amount_minor" == lines[0]
    assert any(",000077," in line and ",purchase,approved,5000000" in line for line in lines[1:])
