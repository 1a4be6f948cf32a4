"""Kill -9 of the switch, and of its PostgreSQL, amid purchases: nothing lost, none twice."""

import asyncio
import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from libs.pg.place import Place
from libs.pg.postmaster import find_running
from tests.e2e.process import Lesko, Running, a_lesko
from tests.e2e.terminals import AMOUNT, Key, Terminals, effects

pytestmark = [pytest.mark.e2e, pytest.mark.postgres]

IN_FLIGHT_MIN = 20
WAVES_MAX = 60
READY_S = 30.0
SEED = ("--cards", "100", "--outlets", "8")


@pytest.fixture
def lesko(open_directory: Callable[[], AbstractContextManager[Path]]) -> Iterator[Lesko]:
    with open_directory() as home, a_lesko(home) as found:
        yield found


def status(lesko: Lesko) -> int:
    """Return what /readyz says, 0 for nobody there."""
    try:
        url = f"http://127.0.0.1:{lesko.web_port}/readyz"
        return int(urllib.request.urlopen(url, timeout=2).status)
    except urllib.error.HTTPError as said:
        return said.code
    except OSError:
        return 0


async def until_status(lesko: Lesko, wanted: int) -> None:
    """Wait until /readyz says this."""
    end = time.monotonic() + READY_S
    while await asyncio.to_thread(status, lesko) != wanted:
        assert time.monotonic() < end, f"/readyz did not say {wanted} in {READY_S} s"
        await asyncio.sleep(0.05)


async def kill_in_flight(switch: Running, terminals: Terminals, dsn: str) -> None:
    """Freeze the switch until a moment shows in which a booked purchase is unanswered; kill it."""
    pid = switch.process.pid
    for _ in range(WAVES_MAX):
        terminals.buy(200)
        await asyncio.sleep(0.004)
        while len(terminals.unanswered) >= IN_FLIGHT_MIN:
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(0.05)  # What it had written arrives.
            booked = set(await effects(dsn))
            if len(terminals.unanswered) >= IN_FLIGHT_MIN and booked & terminals.unanswered:
                switch.kill()
                return
            os.kill(pid, signal.SIGCONT)
            await asyncio.sleep(0.003)
    pytest.fail("no moment was found in which a booked purchase was unanswered")


async def heal(terminals: Terminals) -> tuple[set[Key], set[Key]]:
    """Repeat half of what is unanswered and reverse the other half; return both."""
    left = sorted(terminals.unanswered)
    repeated, reversed_ = set(left[::2]), set(left[1::2])
    await terminals.dial()
    terminals.ask_again("0201", repeated)
    terminals.ask_again("0400", reversed_)
    await terminals.wait_answered(repeated | reversed_, 20)
    return repeated, reversed_


def assert_books_agree(
    terminals: Terminals, booked: dict[Key, tuple[int, int]], reversed_: set[Key]
) -> None:
    """Approved and kept: paid once. Reversed: nothing stays, whether it was booked or not."""
    assert {"00"} == {code for code, _ in terminals.answers.values()}
    kept = terminals.sent - reversed_
    assert {(AMOUNT, 0)} == {booked[key] for key in kept}
    assert {booked[key] for key in reversed_} <= {(AMOUNT, AMOUNT), (0, 0)}


class TestKill:
    async def test_of_the_switch_loses_nothing_and_books_nothing_twice(
        self, lesko: Lesko, make_database: Callable[..., Awaitable[str]]
    ) -> None:
        """At least 20 in flight, at least one of them booked but unanswered."""
        dsn = await make_database()
        lesko.environment["LESKO_POSTGRES__DSN"] = dsn
        for words in (("migrate",), ("seed", *SEED)):
            assert 0 == lesko.call(*words).returncode
        switch = lesko.start("serve")
        await until_status(lesko, 200)
        terminals = Terminals(lesko.edc_port)
        await terminals.dial()
        await kill_in_flight(switch, terminals, dsn)
        unanswered = terminals.unanswered
        lost_answers = unanswered & set(await effects(dsn))
        again = lesko.start("serve")
        began = time.monotonic()
        await until_status(lesko, 200)
        took_s = time.monotonic() - began
        _, reversed_ = await heal(terminals)
        booked = await effects(dsn)
        await terminals.hang_up()
        again.stop()

        assert len(unanswered) >= IN_FLIGHT_MIN
        assert lost_answers
        assert took_s < 15  # Three times what a restart may take.
        assert_books_agree(terminals, booked, reversed_)
        verified = lesko.call("ledger", "verify")
        assert 0 == verified.returncode, verified.stdout

    async def test_of_postgresql_turns_ready_red_and_heals_by_itself(self, lesko: Lesko) -> None:
        """Its server crashes amid traffic: silence, a clear line, and then it goes on."""
        switch = lesko.start("run", *SEED)
        switch.wait_for("The switch is up.")
        root = lesko.home / "postgres"
        server = find_running(Place(root, root, None))
        assert server is not None
        dsn = json.loads((lesko.home / "run.json").read_text())["dsn"]
        terminals = Terminals(lesko.edc_port)
        await terminals.dial()
        terminals.buy(200)
        await terminals.wait_answered(terminals.sent, 20)
        os.kill(server.pid, signal.SIGQUIT)
        terminals.buy(200)
        await until_status(lesko, 503)
        await until_status(lesko, 200)
        await asyncio.sleep(0.2)
        _, reversed_ = await heal(terminals)
        booked = {key: paid for key, paid in (await effects(dsn)).items() if key in terminals.sent}
        await terminals.hang_up()

        assert_books_agree(terminals, booked, reversed_)
        verified = lesko.call("ledger", "verify")
        assert 0 == verified.returncode, verified.stdout
        assert 0 == switch.stop()
        log = (lesko.home / "log" / "lesko.jsonl").read_text()
        assert "Traceback" not in log

    async def test_of_nothing_but_a_long_sleep_is_fenced(
        self, lesko: Lesko, make_database: Callable[..., Awaitable[str]]
    ) -> None:
        """Frozen, replaced, woken: the first process books and answers nothing of its own."""
        lesko.environment["LESKO_POSTGRES__DSN"] = await make_database()
        lesko.environment["LESKO_CARD_LEDGER__LEASE_MS"] = "1500"
        for words in (("migrate",), ("seed", *SEED)):
            assert 0 == lesko.call(*words).returncode
        frozen = lesko.start("serve")
        await until_status(lesko, 200)
        before = Terminals(lesko.edc_port)
        await before.dial()
        os.kill(frozen.process.pid, signal.SIGSTOP)
        before.buy(IN_FLIGHT_MIN)
        extra = {
            name: lesko.environment[name]
            for name in ("LESKO_POSTGRES__DSN", "LESKO_CARD_LEDGER__LEASE_MS")
        }
        extra["LESKO_VAULT__KEYS_DIRECTORY"] = str(lesko.home / "keys")
        second_home = lesko.home / "second"
        second_home.mkdir()
        with a_lesko(second_home, extra) as other:
            successor = other.start("serve")
            await until_status(other, 200)
            after = Terminals(other.edc_port, first_stan=1_000)
            await after.dial()
            after.buy(IN_FLIGHT_MIN)
            await after.wait_answered(after.sent, 20)
            os.kill(frozen.process.pid, signal.SIGCONT)
            await until_status(lesko, 503)
            await asyncio.sleep(0.5)
            booked = await effects(lesko.environment["LESKO_POSTGRES__DSN"])
            await before.hang_up()
            await after.hang_up()

            assert {} == before.answers
            assert set() == set(booked) & before.sent
            assert {(AMOUNT, 0)} == {booked[key] for key in after.sent}
            assert 0 == other.call("ledger", "verify").returncode
            assert 0 == successor.stop()
