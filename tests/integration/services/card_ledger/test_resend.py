"""Entries that a reader missed come again from the tables, word for word."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand, LedgerEntries, Resend
from libs.fakes.ledger import PARTITIONS, a_purchase, a_reference, a_reversal
from libs.fakes.postgres_ledger import Owner, RealLedger, open_real_ledger
from services.card_ledger.handlers.open_accounts import Opening
from services.card_ledger.handlers.resend_entries import BATCHES_MAX

pytestmark = pytest.mark.postgres

MakeDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]
NOON_MS = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)
WALLET = 1
PARTITION = WALLET % PARTITIONS


@pytest.fixture
async def ledger(make_database: MakeDatabase) -> AsyncIterator[RealLedger]:
    """Fresh books at noon of 24 November 2026 in Jayapura."""
    dsn = await make_database({"card_ledger": Path("services/card_ledger/migrations")})
    async with open_real_ledger(dsn, now_ms=NOON_MS) as real:
        yield real


@pytest.fixture
async def owner(ledger: RealLedger) -> Owner:
    """An owner who has booked a purchase, a refusal and a reversal, one batch each."""
    owner = await ledger.own()
    await ledger.open(owner, [Opening(WALLET, 0, 0, None, None, 1_000)])
    owner.entries.clear()
    await owner.post(a_purchase(a_reference(stan=1, amount=100)))
    await owner.post(a_purchase(a_reference(stan=2, amount=9_000)))
    await owner.post(a_reversal(a_reference(stan=1, amount=100)))
    return owner


def a_resend(first: int, last: int) -> LedgerCommand:
    """Ask for the batches of a range."""
    return LedgerCommand(wallet=WALLET, resend=Resend(first_batch_no=first, last_batch_no=last))


async def ask(owner: Owner, first: int, last: int) -> list[LedgerEntries]:
    """Return what one re-send publishes beside its own batch."""
    before = len(owner.entries)
    await owner.post(a_resend(first, last))
    _, *again = owner.entries[before:]
    return again


async def test_repeats_entries_word_for_word(owner: Owner) -> None:
    """Rows, numbers, hashes, times: a reader cannot tell the copy from the first one."""
    first = list(owner.entries)

    assert 3 == len(first)
    assert first == await ask(owner, first[0].batch_no, first[-1].batch_no)


async def test_repeats_them_for_the_next_owner(ledger: RealLedger, owner: Owner) -> None:
    """What is sent again comes from the tables, not from memory."""
    first = list(owner.entries)
    successor = await ledger.own()

    assert first[1:] == await ask(successor, first[1].batch_no, first[-1].batch_no)


async def test_leaves_out_what_is_not_stored(owner: Owner) -> None:
    """A range may reach beyond the books on either side; nothing is made up."""
    last = owner.entries[-1]

    assert [last] == (await ask(owner, last.batch_no, last.batch_no + 1_000))[:1]
    assert [] == await ask(owner, last.batch_no + 1_000, last.batch_no + 2_000)
    assert [] == await ask(owner, 5, 4)


async def test_changes_nothing(ledger: RealLedger, owner: Owner) -> None:
    """No row, no balance; the batch that carried the wish is empty and in the chain."""
    rows = await ledger.pool.read("SELECT count(*) FROM card_ledger.transfer")
    await ask(owner, 1, 1_000)

    assert rows == await ledger.pool.read("SELECT count(*) FROM card_ledger.transfer")
    assert (await ledger.verify()).is_clean


async def test_is_bounded(owner: Owner) -> None:
    """A wish for everything does not hold up the partition: the asker comes again."""
    for stan in range(3, BATCHES_MAX + 10):
        await owner.post(a_purchase(a_reference(stan=stan, amount=1)))

    assert BATCHES_MAX == len(await ask(owner, 1, 1_000_000))
