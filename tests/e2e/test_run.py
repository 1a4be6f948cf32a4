"""lesko run: a newcomer's first minutes, with real processes, sockets and a real PostgreSQL."""

import json
import signal
import socket
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from libs.pg.place import Place
from libs.pg.postmaster import find_running
from tests.e2e.process import Lesko, a_lesko

pytestmark = [pytest.mark.e2e, pytest.mark.postgres]

UP = "The switch is up."
PURSE_FULL, PRICE = 100_000_000, 2_500_000
PAN = "9360099900000016"


@pytest.fixture
def lesko(open_directory: Callable[[], AbstractContextManager[Path]]) -> Iterator[Lesko]:
    with open_directory() as home, a_lesko(home) as found:
        yield found


def own_balance(lesko: Lesko) -> int:
    purses = lesko.tell("card", "show", "1")["purses"]
    return int(next(purse["balance_minor"] for purse in purses if purse["purse"] == 0))


class TestRun:
    def test_shows_a_purchase_stays_up_and_goes_on_with_the_same_data(self, lesko: Lesko) -> None:
        """First run buys once; Ctrl-C leaves nothing running; the second run buys once more."""
        first = lesko.start("run", "--cards", "20", "--outlets", "4")
        shown = first.wait_for(UP)
        ready = urllib.request.urlopen(f"http://127.0.0.1:{lesko.web_port}/readyz", timeout=5)
        after_first = own_balance(lesko)
        root = lesko.home / "postgres"
        code = first.stop(signal.SIGINT)
        left = find_running(Place(root, root, None))

        assert (200, 0, None) == (ready.status, code, left)
        assert PURSE_FULL - PRICE == after_first
        for words in ("Rp 1.000.000,00 before, Rp 975.000,00 after", "iso send purchase", "memory"):
            assert words in shown
        assert PAN not in shown
        assert PAN not in (lesko.home / "log" / "lesko.jsonl").read_text()

        second = lesko.start("run", "--cards", "20", "--outlets", "4")
        assert "Rp 975.000,00 before, Rp 950.000,00 after" in second.wait_for(UP)
        assert 0 == second.stop(signal.SIGTERM)

    def test_starts_again_after_a_kill(self, lesko: Lesko) -> None:
        """Kill -9 hinders nothing: the next start finds the money where it was."""
        killed = lesko.start("run", "--cards", "20", "--outlets", "4")
        killed.wait_for(UP)
        killed.kill()

        again = lesko.start("run", "--cards", "20", "--outlets", "4")
        assert "Rp 975.000,00 before, Rp 950.000,00 after" in again.wait_for(UP)
        assert lesko.tell("ledger", "verify")["clean"]
        assert 0 == again.stop()

    def test_says_that_a_port_is_taken(self, lesko: Lesko) -> None:
        """One sentence with port and setting, exit code 1, nothing started and no traceback."""
        with socket.create_server(("127.0.0.1", lesko.edc_port)):
            done = lesko.call("run")

        assert 1 == done.returncode
        assert 1 == len(done.stderr.strip().splitlines())
        assert f"Port {lesko.edc_port}" in done.stderr
        assert "LESKO_ISO_BRIDGE__PORT" in done.stderr
        assert not (lesko.home / "postgres").exists()

    def test_says_that_the_data_are_in_use(self, lesko: Lesko) -> None:
        """A second run on the same directory ends with one sentence and harms nothing."""
        first = lesko.start("run", "--cards", "2", "--outlets", "2")
        first.wait_for(UP)

        with a_lesko(lesko.home / "other", {"LESKO_HOME": str(lesko.home)}) as other:
            other.home.mkdir()
            done = other.call("run")

        assert (1, 1) == (done.returncode, len(done.stderr.strip().splitlines()))
        assert own_balance(lesko) == PURSE_FULL - PRICE
        assert 0 == first.stop()

    def test_takes_the_programs_that_are_named(self, lesko: Lesko) -> None:
        """And no others: where they are not, that is one sentence with the variable."""
        lesko.environment["LESKO_POSTGRES__BINARIES"] = str(lesko.home / "nowhere")
        done = lesko.call("run")

        assert (1, 1) == (done.returncode, len(done.stderr.strip().splitlines()))
        assert "LESKO_POSTGRES__BINARIES named it" in done.stderr

    def test_says_that_no_database_answers(self, lesko: Lesko) -> None:
        """A DSN that leads nowhere is one sentence without its password."""
        lesko.environment["LESKO_POSTGRES__DSN"] = "postgresql://u:pass-word@127.0.0.1:1/lesko"
        done = lesko.call("run")

        assert (1, 1) == (done.returncode, len(done.stderr.strip().splitlines()))
        assert "127.0.0.1:1/lesko" in done.stderr
        assert "pass-word" not in done.stderr + done.stdout


class TestTools:
    def test_serve_a_person_beside_a_standing_run(self, lesko: Lesko) -> None:
        """Buy, repeat, reverse, ask, echo; look at the card; verify against a noted head."""
        run = lesko.start("run", "--cards", "20", "--outlets", "4")
        run.wait_for(UP)
        heads = lesko.home / "heads.json"
        heads.write_text(json.dumps(lesko.tell("ledger", "head")))
        words = ("--card-serial", "3", "--amount", "50000", "--stan", "77")

        codes = [
            lesko.tell("iso", "send", operation, *words)["response_code"]
            for operation in ("purchase", "purchase", "reversal", "purchase", "inquiry", "echo")
        ]
        card = lesko.tell("card", "show", "3")
        report = lesko.tell("ledger", "verify", "--head", str(heads))
        doctor = lesko.tell("doctor")

        assert ["00", "00", "00", "68", "00", "00"] == codes
        assert PURSE_FULL == card["purses"][0]["balance_minor"]
        assert ["reversal", "purchase"] == [m["kind"] for m in card["movements"][:2]]
        assert (True, 0) == (report["clean"], report["total_minor"])
        assert [] == [each for each in doctor["findings"] if not each["is_good"]]
        assert str(lesko.edc_port) == doctor["settings"]["LESKO_ISO_BRIDGE__PORT"]
        assert 0 == run.stop()

    def test_names_a_head_that_the_books_do_not_have(self, lesko: Lesko) -> None:
        """A head from elsewhere makes verify end with exit code 1 and say so."""
        run = lesko.start("run", "--cards", "2", "--outlets", "2")
        run.wait_for(UP)
        heads = lesko.tell("ledger", "head")
        heads["heads"][1]["hash"] = "ab" * 32
        path = lesko.home / "heads.json"
        path.write_text(json.dumps(heads))
        done = lesko.call("ledger", "verify", "--head", str(path))

        assert 1 == done.returncode
        assert "NOT clean" in done.stdout
        assert 0 == run.stop()

    def test_say_that_nobody_listens(self, lesko: Lesko) -> None:
        """A terminal port where nobody is becomes one sentence."""
        done = lesko.call("iso", "send", "echo")

        assert (1, 1) == (done.returncode, len(done.stderr.strip().splitlines()))
        assert f"127.0.0.1:{lesko.edc_port}" in done.stderr
