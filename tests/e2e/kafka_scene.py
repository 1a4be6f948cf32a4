"""A seeded switch on Kafka with terminals that trade, for tests that restart parts of it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from libs.bus.kafka.local_broker import LocalBrokerMissing
from loadtests.books import check_books
from loadtests.entries import Head, check_entries
from loadtests.rolling_terminals import Trade
from loadtests.rolling_trials import LEDGERS, verified
from loadtests.stack import Stack, open_stack

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


async def settle(stack: Stack, trade: Trade, begins: Mapping[int, Head]) -> None:
    """Let the terminals come to an end: every verdict is the card's own, and the books agree."""
    unsettled = await trade.close(seconds=SETTLED_WITHIN_S)
    books = await check_books(stack.dsn, trade.fleet.belief, trade.fleet.day)
    trail = await check_entries(stack.broker.bootstrap, stack.dsn, begins)
    chain = await verified(stack)
    heard = {one.code for one in trade.samples if one.took_us is not None}
    silent = sum(one.took_us is None for one in trade.samples)
    assert ({"00"}, 0, []) == (heard, unsettled, trade.met.problems)
    assert silent == trade.met.reversals
    assert ([], {}) == (books.examples, dict(trail.contradictions))
    assert books.is_clean
    assert chain["is_clean"], chain["said"]
