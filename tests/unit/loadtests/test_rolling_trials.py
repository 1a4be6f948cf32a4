"""Which ledger works, and when a stack is whole again."""

from typing import Any, cast

import pytest

from loadtests.commands import CommandFailed
from loadtests.fleet import Fleet, today
from loadtests.rolling_terminals import Trade
from loadtests.rolling_trials import LEDGERS, Rolling, is_standing_by, line_of
from loadtests.stack import Stack
from tests.unit.loadtests.test_rolling_report import a_restart

WAITS = {"card_ledger.leases": "the books are served by a, process 1; waiting to take over"}
STARTING = {"card_ledger.leases": "not reported yet", "start": "not reported yet"}


class Ledger:
    """Tells one state after the other, the last one for ever."""

    def __init__(self, *states: dict[str, str]) -> None:
        self._states = list(states)

    async def problems(self) -> dict[str, str]:
        """Return what /readyz would complain of."""
        return self._states.pop(0) if len(self._states) > 1 else self._states[0]


def rolling(*ledgers: Ledger) -> Rolling:
    """Return what restarts these."""
    stack: Any = dict(zip(LEDGERS, ledgers, strict=True))
    trade = Trade(Fleet(1, today()), [1], cards=1, rate=1.0, seed="a")
    return Rolling(cast("Stack", stack), trade)


class TestWaitLedgers:
    async def test_names_the_one_that_works(self) -> None:
        """The other one stands by."""
        assert LEDGERS[1] == await rolling(Ledger(WAITS), Ledger({})).wait_ledgers(LEDGERS)

    async def test_waits_for_the_one_that_stands_by_as_well(self) -> None:
        """While it is starting, or gone, the stack is not whole."""
        starting = Ledger({"http": "nobody answers (OSError)"}, STARTING, WAITS)

        assert LEDGERS[0] == await rolling(Ledger({}), starting).wait_ledgers(LEDGERS)
        assert WAITS == await starting.problems()

    async def test_waits_for_the_one_that_takes_over(self) -> None:
        """Between two owners nobody works."""
        heir = Ledger(WAITS, WAITS, {})

        assert LEDGERS[1] == await rolling(Ledger(WAITS), heir).wait_ledgers(LEDGERS)

    async def test_gives_up_on_two_that_wait(self) -> None:
        """It says what each of them complained of."""
        with pytest.raises(CommandFailed, match="waiting to take over"):
            await rolling(Ledger(WAITS), Ledger(WAITS)).wait_ledgers(LEDGERS, seconds=0)


def test_only_one_that_waits_for_another_stands_by() -> None:
    """A ledger that starts, works or has lost its database does not."""
    states = [WAITS, STARTING, {}, {"card_ledger.leases": "the database is away"}]

    assert [True, False, False, False] == [is_standing_by(one) for one in states]


def test_its_line_tells_refusals_and_slow_seconds() -> None:
    """A person who watches sees both at once."""
    told = line_of(a_restart(refused_by_us={"96": 2}, slow=[0, 1], role="working"))

    assert "authorization, working" in told
    assert "2 refused, 0 silent; p99 14.0 ms, slow 2 s (before: 0 s)" in told
