"""Random histories of purchases, reversals and adjustments over some days, and their pages."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from hypothesis import strategies as st

from libs.contracts.accounts import purse_account
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand, WalletMovements
from libs.fakes.ledger import (
    LedgerBench,
    a_purchase,
    a_question,
    a_reference,
    a_reversal,
    an_account,
    an_adjustment,
)

NOON_MS = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)
DAY_MS = 24 * 3600 * 1000
WALLETS = (1, 5)  # They share a partition.
BALANCE, CEILING = 1_000, 2_000


@st.composite
def commands(draw: st.DrawFn) -> LedgerCommand:
    """An adjustment, purchase or reversal; few keys and amounts, so that they meet often."""
    wallet = draw(st.sampled_from(WALLETS))
    amount = draw(st.sampled_from((1, 300, 700, 1_200)))
    stan = draw(st.integers(0, 3)) * 10 + wallet
    kind = draw(st.sampled_from(("adjustment", "purchase", "reversal")))
    if kind == "adjustment":
        signed = draw(st.sampled_from((amount, -amount)))
        purse = draw(st.sampled_from((0, 1)))
        return an_adjustment(signed, stan=stan, wallet=wallet, purse=purse)
    reference = a_reference(stan=stan, amount=amount, wallet=wallet)
    if kind == "purchase":
        return a_purchase(reference, wallet=wallet, lines=((0, amount, (1, 0)),))
    return a_reversal(reference, wallet=wallet)


histories = st.lists(st.one_of(commands(), st.just(None)), min_size=1, max_size=25)
"""None: the next day begins."""


async def play(history: Sequence[LedgerCommand | None]) -> LedgerBench:
    """Post a history, one batch for each stretch within a day."""
    accounts = {
        purse_account(wallet, purse): an_account(BALANCE, ceiling=CEILING, programme=purse)
        for wallet in WALLETS
        for purse in (0, 1)
    }
    bench = LedgerBench(accounts, now_ms=NOON_MS)
    waiting: list[LedgerCommand] = []
    for command in (*history, None):
        if command is not None:
            waiting.append(command)
            continue
        if waiting:
            await bench.post(*waiting)
        waiting = []
        bench.clock.advance(DAY_MS)
    return bench


async def ask_pages(
    bench: LedgerBench, wallet: int, *, first: date, last: date, rows_max: int
) -> list[WalletMovements]:
    """Ask page after page until there are no more."""
    pages: list[WalletMovements] = []
    while not pages or pages[-1].has_more:
        after = pages[-1].movements[-1].id if pages else 0
        question = a_question(wallet=wallet, first=first, last=last, after=after, rows_max=rows_max)
        pages.append(await bench.ask(question))
    return pages
