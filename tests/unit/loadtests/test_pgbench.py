"""What is read out of pgbench's words, and where the program is found."""

from pathlib import Path

import pytest

from loadtests.commands import CommandFailed
from loadtests.pgbench import find_pgbench, tps_in

SAID = """\
transaction type: <builtin: TPC-B (sort of)>
number of clients: 8
latency average = 1.6 ms
initial connection time = 9.1 ms
tps = 4917.123456 (without initial connection time)
"""


class TestTps:
    def test_is_the_rate_without_connecting(self) -> None:
        """The line that starts with tps holds the rate."""
        assert 4917.123456 == tps_in(SAID)

    def test_is_demanded(self) -> None:
        """No rate is trouble, not zero."""
        with pytest.raises(CommandFailed):
            tps_in("pgbench: error: connection lost")


class TestFindPgbench:
    def test_takes_the_first_place_that_has_it(self, tmp_path: Path) -> None:
        """A directory without it is passed over."""
        (tmp_path / "pgbench").write_text("")

        assert tmp_path / "pgbench" == find_pgbench(None, [tmp_path / "nowhere", tmp_path])

    def test_is_none_where_it_is_not_installed(self, tmp_path: Path) -> None:
        """A server without contributed programs gives no yardstick."""
        assert find_pgbench(None, [tmp_path]) is None
