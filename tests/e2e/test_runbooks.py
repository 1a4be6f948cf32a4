"""The runbooks: what they quote is what the switch says, and their commands work as printed."""

import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest

from libs.bus.kafka.local_broker import LocalBroker
from libs.tcp import free_port
from tests.e2e.process import REPOSITORY, WAIT_S, Lesko, Running, a_lesko

pytestmark = [pytest.mark.e2e, pytest.mark.postgres]

OpenDirectory = Callable[[], AbstractContextManager[Path]]
StartBroker = Callable[[], AbstractAsyncContextManager[LocalBroker]]

PAGES = sorted((REPOSITORY / "docs" / "runbooks").glob("*.md"))
WANTED = {"clock-off", "dead-letters", "disk-full", "lease-stuck", "partition-alarm", "restore"}
LANGUAGES = ("## English", "## Bahasa Indonesia")
STEP = re.compile(
    r"^(?P<indent> *)```sh\n(?P<block>.*?)^(?P=indent)```|<!-- test: (?P<word>[^>]+) -->",
    re.MULTILINE | re.DOTALL,
)
QUOTED = re.compile(r"`([^`]+)`")
CHECK = re.compile(r"(?:card_ledger|iso_bridge|authorization|admin|bus|backup)\.[a-z]+|database")
METRIC = re.compile(r"lesko_[a-z_]+")
JOINT = re.compile(r'"\s*\n\s*f?"')
EXAMPLE = re.compile(r"[\d.]+|NAME|NAMA")
SEED = ("--cards", "20", "--outlets", "2")
UP = "The switch is up."


class Step(NamedTuple):
    """A block to run, or a word to this test."""

    block: str
    word: str


def steps(page: Path) -> Iterator[Step]:
    """Yield what a page lets do, in order."""
    for found in STEP.finditer(page.read_text()):
        yield Step(dedent(found["block"] or ""), found["word"] or "")


def sources() -> str:
    """Return what the switch can say: its sources, strings that go on in the next line joined."""
    files = [*REPOSITORY.glob("services/**/*.py"), *REPOSITORY.glob("libs/**/*.py")]
    return JOINT.sub("", "\n".join(file.read_text() for file in files))


def test_there_is_one_for_each_alarm() -> None:
    """Six pages, each in two languages, with what to see, what it means, and when it is over."""
    assert WANTED == {page.stem for page in PAGES}
    for page in PAGES:
        text = page.read_text()
        for words in (*LANGUAGES, "**You see**", "**It means**", "**It is over**", "**Selesai**"):
            assert words in text, f"{page.name} lacks {words}"
        assert any(step.block for step in steps(page)), page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_quotes_what_the_switch_says(page: Path) -> None:
    """Names of checks and sentences in a page stand in the sources."""
    said = sources()
    english = page.read_text().partition(LANGUAGES[1])[0]
    text = re.sub(r"```.*?```", "", english, flags=re.DOTALL)
    for quoted in (" ".join(each.split()) for each in QUOTED.findall(text)):
        if CHECK.fullmatch(quoted):
            assert f'"{quoted}"' in said, f"no check is called {quoted}"
        elif " " in quoted and not quoted.startswith(("lesko ", "No space")):
            for part in EXAMPLE.split(quoted):
                assert part.strip() in said, f"nothing says {part!r}"


def figures(lesko: Lesko) -> str:
    """Return what /metrics says."""
    url = f"http://127.0.0.1:{lesko.web_port}/metrics"
    return str(urllib.request.urlopen(url, timeout=5).read().decode())


class Installation:
    """A demo on Kafka with an archive, and the names that the pages use."""

    def __init__(self, lesko: Lesko, home: Path) -> None:
        self.lesko = lesko
        self.running: Running | None = None
        tools = home / "bin"
        tools.mkdir()
        command = tools / "lesko"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m services.cli "$@"\n')
        command.chmod(0o755)
        self.environment = {
            **lesko.environment,
            "PATH": f"{tools}:{lesko.environment['PATH']}",
            "NEW": str(home / "new"),
            "BACKUP": lesko.environment["LESKO_BACKUP__DIRECTORY"],
        }

    def start(self) -> None:
        """Start the switch in the home that the environment names."""
        self.running = self.lesko.start("run", *SEED)
        self.running.wait_for(UP)

    def stop(self) -> None:
        """Stop it in order."""
        if self.running is not None:
            assert 0 == self.running.stop(), self.running.text
        self.running = None

    def sh(self, block: str) -> "subprocess.CompletedProcess[str]":
        """Run a block as a person would paste it."""
        return subprocess.run(
            ["sh", "-e", "-c", block], check=False, capture_output=True, text=True,
            env=self.environment, cwd=self.lesko.home, timeout=WAIT_S,
        )  # fmt: skip

    def walk(self, page: Path) -> list[str]:
        """Do what a page says; return what did not work."""
        wrong = []
        for step in steps(page):
            if step.word == "stop":
                self.stop()
            elif step.word == "start in NEW":
                self.lesko.environment["LESKO_HOME"] = self.environment["NEW"]
                backup = f"{self.environment['BACKUP']}-new"
                self.lesko.environment["LESKO_BACKUP__DIRECTORY"] = backup
                self.start()
            elif step.block:
                done = self.sh(step.block)
                if done.returncode or "lesko: " in done.stderr:
                    wrong.append(f"{page.name}:\n{step.block}{done.stdout}{done.stderr}")
        return wrong


async def test_their_commands_work(
    open_directory: OpenDirectory, start_own_broker: StartBroker
) -> None:
    """Every block of every page is run, in a demo on Kafka; the metrics they name are there."""
    async with start_own_broker() as broker:
        with open_directory() as home:
            (home / "old").mkdir()
            extra = {
                "LESKO_KAFKA__BOOTSTRAP": broker.bootstrap,
                "LESKO_BACKUP__DIRECTORY": str(home / "backups"),
                "LESKO_ADMIN__PORT": str(free_port()),
            }
            with a_lesko(home / "old", extra) as lesko:
                demo = Installation(lesko, home)
                demo.start()
                assert 0 == lesko.call("backup").returncode
                metrics = figures(lesko)
                wrong = [
                    f"{page.name}: no figure {name}"
                    for page in PAGES
                    for name in METRIC.findall(page.read_text())
                    if f"# TYPE {name.removesuffix('_total')}" not in metrics
                ]
                for page in sorted(PAGES, key=lambda each: each.stem == "restore"):
                    wrong += demo.walk(page)
                demo.stop()
            shutil.rmtree(home / "new", ignore_errors=True)

    assert not wrong, "\n".join(wrong)
