"""Real processes and their secrets: what other users, a crash and the doctor show of them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.process import Lesko, a_lesko

pytestmark = [pytest.mark.e2e, pytest.mark.postgres]

UP = "The switch is up."
OF_OUR_SERVER = ("postgres/postgres.password", "postgres/lesko.password")
# Stands for a mistake of ours in the middle of the database's work.
BROKEN = """
import sys
from libs.pg import pool

async def broken(self, sql, *args):
    raise RuntimeError("a mistake of ours")

pool.Pool.read = broken
sys.argv = ["lesko", *sys.argv[1:]]
from services.cli.main import main
main()
"""


def words_in(home: Path, *more: str) -> list[str]:
    """Return every secret of an installation: passwords of roles, keys, and what else is named."""
    files = [*(home / "keys").rglob("*.password"), *(home / "keys").glob("*.key")]
    files += [home / name for name in more]
    return [path.read_text().strip() for path in files]


def family(pid: int) -> list[int]:
    """Return a process and all that it has started, and they."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def shown_by_proc(pid: int) -> str:
    """Return what /proc tells of a process: its environment and its command line."""
    return "".join(
        Path(f"/proc/{pid}/{name}").read_bytes().decode(errors="replace")
        for name in ("environ", "cmdline")
    )


def found(words: list[str], text: str) -> list[str]:
    """Return the beginnings of secrets that a text holds."""
    assert words
    return [word[:4] for word in words if word in text]


@pytest.fixture
def home(open_directory: Callable[[], AbstractContextManager[Path]]) -> Iterator[Path]:
    with open_directory() as directory:
        yield directory


@pytest.fixture
def lesko(home: Path, postgres_dsn: str) -> Iterator[Lesko]:
    """Give the command on a database whose address is in a file, migrated and seeded."""
    (home / "dsn").write_text(postgres_dsn)
    prefix = urlsplit(postgres_dsn).path[1:]
    extra = {
        "LESKO_POSTGRES__DSN_FILE": str(home / "dsn"),
        "LESKO_POSTGRES__ROLE_PREFIX": prefix,
    }
    with a_lesko(home, extra) as made:
        for words in (("migrate",), ("seed", "--cards", "3", "--outlets", "1")):
            done = made.call(*words)
            assert 0 == done.returncode, done.stderr
        yield made


def owners_password(lesko: Lesko) -> str:
    """Return the password that the file of the address holds."""
    return str(urlsplit((lesko.home / "dsn").read_text()).password)


def all_words(lesko: Lesko) -> list[str]:
    return [*words_in(lesko.home), owners_password(lesko)]


class TestSecrets:
    def test_are_shown_by_no_process_of_serve(self, lesko: Lesko) -> None:
        """Neither environment nor command line; and no memory is dumped when it crashes."""
        serving = lesko.start("serve")
        serving.wait_for('"event": "ready"')
        pids = family(serving.process.pid)
        shown = "".join(map(shown_by_proc, pids))
        limits = Path(f"/proc/{pids[0]}/limits").read_text()

        assert [] == found(all_words(lesko), shown + serving.text)
        assert str(lesko.home / "dsn") in shown, "this looked at the wrong thing"
        assert "Max core file size        0                    0 " in limits
        assert 0 == serving.stop()

    def test_are_shown_by_no_process_of_run(self, home: Path) -> None:
        """PostgreSQL, its guard and whatever else belongs to our own server, first start too."""
        with a_lesko(home) as made:
            running = made.start("run", "--cards", "2", "--outlets", "1")
            shown = ""
            while UP not in running.text:
                assert running.process.poll() is None, running.text
                for pid in _living(running.process.pid):
                    shown += _shown(pid)
                time.sleep(0.02)
            words = words_in(home, *OF_OUR_SERVER)
            logs = running.text + (home / "log" / "lesko.jsonl").read_text()
            logs += (home / "postgres" / "postgres.log").read_text()

            assert [] == found(words, shown + logs)
            assert "postgres" in shown, "this looked at the wrong thing"
            assert 0 == running.stop()

    def test_are_not_told_when_it_crashes(self, lesko: Lesko) -> None:
        """A broken process shows where it was, and nothing of what it knew."""
        lesko.environment["PYTHONFAULTHANDLER"] = "1"
        serving = lesko.start("serve")
        serving.wait_for('"event": "ready"')
        code = serving.stop(signal.SIGABRT)

        assert -signal.SIGABRT == code
        assert "Fatal Python error: Aborted" in serving.text
        assert [] == found(all_words(lesko), serving.text)
        assert not list(lesko.home.glob("core*"))

    def test_are_not_told_by_a_mistake_of_ours(self, lesko: Lesko, tmp_path: Path) -> None:
        """Its traceback names lines of code, no values."""
        broken = tmp_path / "broken.py"
        broken.write_text(BROKEN)
        said = _ran([sys.executable, str(broken), "ledger", "head"], lesko.whole_environment)

        assert "Traceback" in said
        assert "a mistake of ours" in said
        assert [] == found(all_words(lesko), said)

    def test_are_not_told_by_the_doctor(self, lesko: Lesko) -> None:
        """Variables with secrets show stars, whichever way they came."""
        secret = "postgresql://somebody:words-of-old@127.0.0.1:1/x"
        lesko.environment["LESKO_ADMIN__POSTGRES__DSN"] = secret
        done = lesko.call("doctor", "--json")
        told = json.loads(done.stdout)

        assert "**********" == told["settings"]["LESKO_ADMIN__POSTGRES__DSN"]
        assert "**********" == told["settings"]["LESKO_POSTGRES__DSN"]
        words = [*all_words(lesko), "words-of-old"]
        assert [] == found(words, done.stdout + done.stderr + lesko.call("doctor").stdout)

    def test_that_are_missing_are_named_by_the_doctor(self, lesko: Lesko) -> None:
        """The file and the command that makes it; a role that may do too much, too."""
        (lesko.home / "keys" / "database" / "admin.password").rename(lesko.home / "kept")
        lacking = _finding(lesko, "logins")
        (lesko.home / "kept").rename(lesko.home / "keys" / "database" / "admin.password")

        assert "run lesko migrate" in lacking["text"]
        assert {True} == {
            each["is_good"]
            for each in json.loads(lesko.call("doctor", "--json").stdout)["findings"]
            if each["what"].startswith(("rights", "tables", "database"))
        }


def _finding(lesko: Lesko, what: str) -> Mapping[str, str]:
    told = json.loads(lesko.call("doctor", "--json").stdout)
    [found_one] = [each for each in told["findings"] if each["what"] == what]
    return dict(found_one)


def _living(pid: int) -> list[int]:
    try:
        return family(pid)
    except OSError:
        return []  # One of them ended while we looked.


def _shown(pid: int) -> str:
    try:
        return shown_by_proc(pid)
    except OSError:
        return ""


def _ran(command: list[str], environment: Mapping[str, str]) -> str:
    """Run a program of this repository; return what it said."""
    done = subprocess.run(
        command, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False, timeout=60, cwd=os.sep,
    )  # fmt: skip
    assert done.returncode
    return done.stdout
