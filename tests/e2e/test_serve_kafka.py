"""lesko serve on a real Kafka: services as processes of their own, started in any order."""

import json
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    ExitStack,
    contextmanager,
)
from pathlib import Path

import pytest

from libs.bus.kafka.jars import fetch_jars, find_java
from libs.bus.kafka.local_broker import LocalBroker, LocalBrokerMissing, start_broker
from libs.contracts.topics import COMMANDS, REGISTRY, REQUESTS
from tests.e2e.process import Lesko, a_lesko

pytestmark = [pytest.mark.e2e, pytest.mark.postgres]

OpenDirectory = Callable[[], AbstractContextManager[Path]]
StartBroker = Callable[[], AbstractAsyncContextManager[LocalBroker]]

BACKWARDS = ("iso_bridge", "authorization", "card_ledger", "admin")
READY = '"event": "ready"'
BUY = ("iso", "send", "purchase", "--card-serial", "1", "--amount")


class Machines:
    """A home for each service, as on machines of their own; keys are the same ones."""

    def __init__(self, home: Path, dsn: str, bootstrap: str, stack: ExitStack) -> None:
        self._home = home
        self._stack = stack
        self._dsn = {"LESKO_POSTGRES__DSN": dsn}
        self._kafka = {
            "LESKO_KAFKA__BOOTSTRAP": bootstrap,
            "LESKO_VAULT__KEYS_DIRECTORY": str(home / "keys"),
        }
        self.office = self.machine("office", has_database=True)

    def machine(self, name: str, *, has_database: bool) -> Lesko:
        """Give a machine; the bridge's knows no database."""
        home = self._home / name
        home.mkdir()
        extra = self._kafka | (self._dsn if has_database else {})
        return self._stack.enter_context(a_lesko(home, extra))


@contextmanager
def machines(open_directory: OpenDirectory, dsn: str, bootstrap: str) -> Iterator[Machines]:
    """Give machines; whatever was started on them is ended."""
    with open_directory() as home, ExitStack() as stack:
        yield Machines(home, dsn, bootstrap, stack)


def status(lesko: Lesko, path: str) -> int:
    """Return what the health port says."""
    try:
        url = f"http://127.0.0.1:{lesko.web_port}/{path}"
        return int(urllib.request.urlopen(url, timeout=5).status)
    except urllib.error.HTTPError as answer:
        return answer.code


def waits(text: str) -> list[tuple[str, str]]:
    """Return what a process said that it waits for."""
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [(each["check"], each["reason"]) for each in lines if each["event"] == "waiting"]


async def test_waits_for_what_is_missing_and_goes_on(
    open_directory: OpenDirectory, start_own_broker: StartBroker, postgres_dsn: str
) -> None:
    """Edge first, registry last, Kafka after them, topics after that: a purchase in the end."""
    async with start_own_broker() as broker:
        await broker.stop()
        with machines(open_directory, postgres_dsn, broker.bootstrap) as at:
            for words in (("migrate",), ("seed", "--cards", "3", "--outlets", "1")):
                assert 0 == at.office.call(*words).returncode
            homes = {
                name: at.machine(name, has_database=name != BACKWARDS[0]) for name in BACKWARDS
            }
            running = {name: home.start("serve", name) for name, home in homes.items()}
            for each in running.values():
                each.wait_for('"check": "bus"')
            states = {(status(home, "healthz"), status(home, "readyz")) for home in homes.values()}
            await broker.start()
            for each in running.values():
                each.wait_for("run lesko topics apply")
            assert 0 == at.office.call("topics", "apply").returncode
            for each in running.values():
                each.wait_for(READY)
            bridge = homes["iso_bridge"]
            first = bridge.tell(*BUY, "1")["response_code"]

            second = at.machine("second", has_database=True)
            waiting = second.start("serve", "admin")
            waiting.wait_for("another admin process publishes it")
            running["admin"].kill()
            waiting.wait_for(READY)
            other = bridge.tell(*BUY, "2")["response_code"]
            running["admin"] = waiting
            texts = [each.text for each in running.values()]
            ended = {each.stop(signal.SIGTERM) for each in running.values()}

    assert {(200, 503)} == states
    assert ("00", "00", {0}) == (first, other, ended)
    for text in texts:
        said = waits(text)
        assert len(set(said)) == len(said), said


async def test_ends_with_what_a_person_must_change(
    open_directory: OpenDirectory, start_own_broker: StartBroker, postgres_dsn: str
) -> None:
    """A wrong number of partitions, an answer partition or keys that are not there."""
    async with start_own_broker() as broker:
        with machines(open_directory, postgres_dsn, broker.bootstrap) as at:
            for words in (("migrate",), ("topics", "apply"), ("seed", "--cards", "1")):
                assert 0 == at.office.call(*words).returncode

            def refused(service: str, variable: str, value: str) -> "subprocess.Popen[bytes]":
                home = at.machine(f"{service}-{value[-2:]}", has_database=service != "iso_bridge")
                home.environment[variable] = value
                running = home.start("serve", service)
                running.process.wait(60)
                sentences[variable] = running.text.splitlines()[-1]
                return running.process

            sentences: dict[str, str] = {}
            codes = {
                refused("authorization", "LESKO_CARD_LEDGER__PARTITIONS", "4").returncode,
                refused("iso_bridge", "LESKO_VAULT__KEYS_DIRECTORY", "/none").returncode,
            }

    assert {1} == codes
    assert "set LESKO_CARD_LEDGER__PARTITIONS=8" in sentences["LESKO_CARD_LEDGER__PARTITIONS"]
    assert "/none" in sentences["LESKO_VAULT__KEYS_DIRECTORY"]


async def test_runs_the_demo_on_a_broker_of_its_own(open_directory: OpenDirectory) -> None:
    """One purchase over Kafka; the table and the doctor name it; Ctrl-C leaves no broker."""
    try:
        await find_java()
        await fetch_jars()
    except LocalBrokerMissing as fault:
        pytest.skip(f"no Kafka: {fault}")
    with open_directory() as home, a_lesko(home) as lesko:
        run = lesko.start("run", "--kafka", "--cards", "3", "--outlets", "1")
        shown = run.wait_for("The switch is up.")
        doctor = lesko.tell("doctor")
        code = run.stop(signal.SIGINT)
        async with start_broker(home / "kafka") as broker:  # Refused while another has it.
            logs = broker.data_directory.glob("*.v1-0")
            kept = {path.name.removesuffix("-0") for path in logs}

    assert "Rp 1.000.000,00 before, Rp 975.000,00 after" in shown
    assert "our own" in shown.split("bus", maxsplit=1)[1]
    assert [] == [each for each in doctor["findings"] if not each["is_good"]]
    assert "topics" in {each["what"] for each in doctor["findings"]}
    assert (0, True) == (code, {REQUESTS, COMMANDS, REGISTRY} <= kept)
