"""Authorization and the working ledger are restarted in order amid purchases: nobody is refused."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path

import pytest

from libs.bus.kafka.local_broker import LocalBrokerMissing
from loadtests.books import check_books
from loadtests.entries import check_entries, read_heads
from loadtests.fleet import Fleet, today
from loadtests.rolling_terminals import Trade
from loadtests.rolling_trials import LEDGERS, Rolling, verified
from loadtests.stack import Stack, open_stack

pytestmark = [pytest.mark.e2e, pytest.mark.postgres]

OpenDirectory = Callable[[], AbstractContextManager[Path]]

CARDS, TERMINALS, RATE = 95, 20, 25.0  # No special card among them: each deserves 00.
SERVED_WITHIN_S = 30.0
SETTLED_WITHIN_S = 30.0


@asynccontextmanager
async def a_stack(work: Path, dsn: str) -> AsyncIterator[Stack]:
    """Give a seeded stack with two ledgers, none of it started; or leave the test out."""
    try:
        async with open_stack(work, dsn=dsn) as stack:
            await stack.prepare(cards=CARDS, outlets=TERMINALS)
            for service in ("admin", "authorization", "iso_bridge"):
                stack.add(service)
            for name in LEDGERS:
                stack.add("card_ledger", name=name)
            yield stack
    except LocalBrokerMissing as fault:
        pytest.skip(f"no Kafka: {fault}")


async def served(trade: Trade, more: int) -> None:
    """Wait until so many further purchases were approved."""
    wanted = sum(one.code == "00" for one in trade.samples) + more
    async with asyncio.timeout(SERVED_WITHIN_S):
        while sum(one.code == "00" for one in trade.samples) < wanted:  # noqa: ASYNC110 -- counted
            await asyncio.sleep(0.02)


async def test_refuses_nobody(open_directory: OpenDirectory, postgres_dsn: str) -> None:
    """Every verdict is the card's own, silence is taken back, and the books say the same."""
    with open_directory() as work:
        async with a_stack(work, postgres_dsn) as stack:
            begins = await read_heads(stack.dsn)
            fleet, bridge = Fleet(TERMINALS, today()), stack["iso_bridge"].port
            trade = Trade(fleet, [bridge], cards=CARDS, rate=RATE, seed="rolling")
            rolling = Rolling(stack, trade)
            await stack.start()
            await rolling.wait_whole()
            working = await rolling.wait_ledgers(LEDGERS)
            try:
                trade.open()
                await served(trade, 50)
                restarts = [await rolling.restart("authorization")]
                await served(trade, 25)
                restarts.append(await rolling.restart(working, LEDGERS))
                took_over = await rolling.wait_ledgers(LEDGERS)
                await served(trade, 25)
                unsettled = await trade.close(seconds=SETTLED_WITHIN_S)
            finally:
                await trade.hang_up()
            books = await check_books(stack.dsn, fleet.belief, fleet.day)
            trail = await check_entries(stack.broker.bootstrap, stack.dsn, begins)
            chain = await verified(stack)

    heard = {one.code for one in trade.samples if one.took_us is not None}
    silent = sum(one.took_us is None for one in trade.samples)
    assert ({"00"}, 0, []) == (heard, unsettled, trade.met.problems)
    assert silent == trade.met.reversals
    assert [0, 0] == [one["exit_code"] for one in restarts]
    assert working != took_over
    assert ([], {}) == (books.examples, dict(trail.contradictions))
    assert books.is_clean
    assert chain["is_clean"], chain["said"]
