"""The page "first day" as printed: an empty installation becomes a trading outlet, by commands."""

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pyotp
import pytest

from libs.bus.kafka.jars import fetch_jars, find_java
from libs.bus.kafka.local_broker import LocalBrokerMissing
from loadtests.frames import pan_of
from tests.e2e.process import COMMAND, REPOSITORY, WAIT_S, Lesko, a_lesko

pytestmark = [pytest.mark.e2e, pytest.mark.postgres]

OpenDirectory = Callable[[], AbstractContextManager[Path]]

PAGE: Final = REPOSITORY / "docs" / "first-day.md"
BLOCK: Final = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE: Final = re.compile(r"shown only now: (\S+)|\"enrolment_code\": ?\"([^\"]+)\"")
WALLET: Final = re.compile(r"wallet\W+(\d+)")
CARD: Final = pan_of(7)
STEP_S: Final = 30


@pytest.fixture
def lesko(open_directory: OpenDirectory) -> Iterator[Lesko]:
    with open_directory() as home, a_lesko(home) as found:
        yield found


class Day:
    """Types what the page says, and gives each prompt what the person there would."""

    def __init__(self, lesko: Lesko) -> None:
        self._lesko = lesko
        self._secrets: dict[str, str] = {}
        self._code = ""  # The last one-time code that was shown.
        self._wallet = ""
        (lesko.home / "cards.csv").write_text(f"card_number,product,expiry\n{CARD},standard,3012\n")

    def type(self, line: str) -> str:
        """Run one line; it must succeed."""
        words = shlex.split(line.replace("WALLET", self._wallet))
        home = self._lesko.home
        if words[0].startswith("LESKO_HOME="):
            home = self._lesko.home / words.pop(0).partition("=")[2]
        assert "lesko" == words.pop(0), line
        environment = {**self._lesko.whole_environment, "LESKO_HOME": str(home)}
        if words[:2] == ["operator", "enrol"]:
            return self._enrol(words, environment)
        given = self._given(words)
        done = subprocess.run(
            [*COMMAND, *words], input=given, env=environment, cwd=self._lesko.home,
            capture_output=True, text=True, timeout=WAIT_S, check=False,
        )  # fmt: skip
        assert 0 == done.returncode, f"{line}\n{done.stdout}\n{done.stderr}"
        if found := CODE.search(done.stdout):
            self._code = found[1] or found[2]
        if found := WALLET.search(done.stdout):
            self._wallet = found[1]
        return done.stdout

    def _given(self, words: list[str]) -> str:
        if words[:2] == ["operator", "init"]:
            words.append("--password-stdin")
            return f"{_password(words[2])}\n"
        if words[0] == "sign-in":
            words.append("--password-stdin")
            return f"{_password(words[1])}\n{self._next_code(words[1])}\n"
        if words[:2] == ["approval", "approve"]:
            return "y\n"
        return f"{CARD}\n"

    def _enrol(self, words: list[str], environment: Mapping[str, str]) -> str:
        login = words[2]
        with subprocess.Popen(
            [*COMMAND, *words, "--password-stdin"], env=environment, cwd=self._lesko.home,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{self._code}\n{_password(login)}\n")
            process.stdin.flush()
            said = ""
            for line in process.stdout:
                said += line
                if line.startswith("otpauth"):
                    self._secrets[login] = pyotp.parse_uri(line.strip()).secret
                    digits = pyotp.TOTP(self._secrets[login]).at(datetime.now(UTC))
                    process.stdin.write(f"{digits}\n")
                    process.stdin.flush()
        assert 0 == process.returncode, said
        return said

    def _next_code(self, login: str) -> str:
        """Return the code of the next step: that of this one was used to enrol."""
        if login not in self._secrets:
            return ""
        soon = datetime.now(UTC) + timedelta(seconds=STEP_S)
        return pyotp.TOTP(self._secrets[login]).at(soon)


def _password(login: str) -> str:
    return f"seven canoes at dawn {len(login)} {login[::-1]}"


def lines() -> list[str]:
    """Return the page's command lines, with today's date."""
    today = f"{datetime.now(UTC) + timedelta(hours=9):%Y-%m-%d}"
    text = "\n".join(BLOCK.findall(PAGE.read_text()))
    return [re.sub(r"20\d\d-\d\d-\d\d", today, line) for line in text.splitlines() if line.strip()]


async def need_kafka() -> None:
    """Leave the test out where no broker can be started."""
    try:
        await find_java()
        await fetch_jars()
    except LocalBrokerMissing as fault:
        pytest.skip(f"no Kafka: {fault}")


@pytest.mark.parametrize("bus", [(), ("--kafka",)], ids=["memory", "kafka"])
async def test_goes_from_nothing_to_a_trading_outlet(lesko: Lesko, bus: tuple[str, ...]) -> None:
    """Every line of the page works in its order, and the purchase is approved and in the books.

    What was installed so is no demo: nobody's demo money comes among it by a forgotten word.
    """
    if bus:
        await need_kafka()
    first, *others = lines()
    assert "lesko run --empty" == first
    running = lesko.start("run", "--empty", *bus)
    running.wait_for("The switch is up.")
    day = Day(lesko)

    said = {line: day.type(_with_port(line, lesko)) for line in others}

    purchase = next(out for line, out in said.items() if "iso send" in line)
    statement = next(out for line, out in said.items() if "wallet statement" in line)
    verified = next(out for line, out in said.items() if "ledger verify" in line)
    assert "39" in purchase
    assert "00" in purchase
    assert "150.000" in statement or "150,000" in statement
    assert "KW-0001" in statement
    assert "clean" in verified.lower() or "sound" in verified.lower(), verified
    assert CARD not in "".join(said.values())
    assert 0 == running.stop()
    demo = lesko.call("run")
    assert (1, True) == (demo.returncode, "run --empty serves it" in demo.stderr), demo.stderr


def _with_port(line: str, lesko: Lesko) -> str:
    return f"{line} --port {lesko.edc_port}" if "iso send" in line else line
