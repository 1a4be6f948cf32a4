"""lesko migrate, seed and serve against a database that somebody else runs."""

import json
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from libs.vault import generate_demo_keys
from tests.e2e.process import Lesko, a_lesko

pytestmark = [pytest.mark.e2e, pytest.mark.postgres]


@pytest.fixture
def lesko(
    open_directory: Callable[[], AbstractContextManager[Path]], postgres_dsn: str
) -> Iterator[Lesko]:
    extra = {"LESKO_POSTGRES__DSN": postgres_dsn}
    with open_directory() as home, a_lesko(home, extra) as found:
        yield found


class TestServe:
    def test_goes_from_an_empty_database_to_a_purchase(self, lesko: Lesko) -> None:
        """It waits for tables, goes on once they are there; seed twice, serve, buy, drain."""
        generate_demo_keys(lesko.home / "keys")
        waiting = lesko.start("serve")
        waiting.wait_for("run lesko migrate")
        unready = _status(lesko.web_port, "readyz"), _status(lesko.web_port, "healthz")
        told = waiting.text.count("run lesko migrate")  # Half-way there is another reason.
        lesko.tell("migrate")
        waiting.wait_for('"event": "ready"')  # A new switch is served before its first outlet.
        left = waiting.stop(signal.SIGTERM)
        first = lesko.tell("seed", "--cards", "12", "--outlets", "2")
        second = lesko.tell("seed", "--cards", "12", "--outlets", "2", "--balance", "5")
        serving = lesko.start("serve")
        serving.wait_for('"event": "ready"')
        code = lesko.tell("iso", "send", "purchase", "--card-serial", "10", "--amount", "1")
        blocked = lesko.call("seed", "--cards", "13")
        third = lesko.tell("seed", "--cards", "12", "--outlets", "2")  # Needs no lease.
        balance = lesko.tell("card", "show", "10")["purses"]
        ended = serving.stop(signal.SIGTERM)

        assert ((503, 200), 0) == (unready, left)
        assert 1 == told
        assert [12, 0, 0] == [each["new_cards"] for each in (first, second, third)]
        assert "00" == code["response_code"]
        assert [99_999_900, 20_000_000] == [purse["balance_minor"] for purse in balance]
        assert (1, True) == (blocked.returncode, "being served" in blocked.stderr)
        assert 0 == ended
        for line in serving.text.splitlines():
            assert "event" in json.loads(line)

    def test_waits_for_a_database_that_is_away(self, lesko: Lesko) -> None:
        """It says once what it waits for, is alive meanwhile, and Ctrl-C still ends it with 0."""
        lesko.environment["LESKO_POSTGRES__DSN"] = "postgresql://u:pass-word@127.0.0.1:1/x"
        serving = lesko.start("serve")
        serving.wait_for('"check": "database"')
        alive = _status(lesko.web_port, "healthz")
        time.sleep(2)  # A few more tries.

        assert (200, 0) == (alive, serving.stop())
        assert 1 == serving.text.count('"event": "waiting"')
        assert "pass-word" not in serving.text

    def test_lets_a_second_process_wait_and_take_over(self, lesko: Lesko) -> None:
        """The second is alive, not ready, and opens no terminal port until the first is killed."""
        lesko.call("migrate")
        lesko.call("seed", "--cards", "3", "--outlets", "1")
        first = lesko.start("serve")
        first.wait_for('"event": "ready"')
        extra = {"LESKO_POSTGRES__DSN": lesko.environment["LESKO_POSTGRES__DSN"]}
        keys = {"LESKO_VAULT__KEYS_DIRECTORY": str(lesko.home / "keys")}
        home = lesko.home / "second"
        home.mkdir()
        with a_lesko(home, extra | keys) as other:
            second = other.start("serve")
            second.wait_for("waiting_for_leases")
            unready = _status(other.web_port, "readyz"), _status(other.web_port, "healthz")
            unheard = other.call("iso", "send", "echo").returncode
            killed_at = time.monotonic()
            first.kill()
            second.wait_for('"event": "ready"')
            took_s = time.monotonic() - killed_at
            bought = other.tell("iso", "send", "purchase", "--card-serial", "1", "--amount", "1")
            assert 0 == second.stop()

        assert ((503, 200), 1) == (unready, unheard)
        assert "00" == bought["response_code"]
        assert 20 > took_s  # A guard against hanging; the budget of 6 s is for the load programs.


def _status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as answer:
        return answer.code
