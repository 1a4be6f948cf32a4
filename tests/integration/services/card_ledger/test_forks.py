"""What a unique violation means: a repeat of a key, or a fork of the books."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from libs.clock import day_number
from libs.contracts.accounts import outlet_account, purse_account
from libs.fakes.postgres_ledger import RealLedger, open_real_ledger
from libs.outcome import Outcome
from services.card_ledger.domain.chain import BatchHead
from services.card_ledger.domain.kinds import TransferKind
from services.card_ledger.domain.transfer import Transfer, serial_of, transfer_id
from services.card_ledger.ports import Batch, BooksFork, KeyTaken, OnceOnly
from services.card_ledger.store.books import PostgresBooks

pytestmark = pytest.mark.postgres

MakeDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]
NOON_MS = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)
PARTITION = 1
FAR = timedelta(days=30)
"""No day partition is made so far ahead: DEFAULT takes the row."""

PLACES = {
    "in a day": (timedelta(0), False, "transfer_20261124"),
    "in DEFAULT": (FAR, False, "transfer_default"),
    "in a day made of DEFAULT": (FAR, True, "transfer_20261224"),
}


class Writer:
    """Posts rows of one partition behind the fence, as an owner does, with whatever they hold."""

    def __init__(self, ledger: RealLedger, epoch: int) -> None:
        self._books = PostgresBooks(ledger.pool, ledger.pool, lease_ms=1_000)
        self._epoch = epoch
        self._batch_no = 0

    async def post(self, row: Transfer, *once: OnceOnly) -> None:
        """Post one row as the next batch."""
        head = BatchHead(
            1, PARTITION, self._batch_no + 1, self._epoch, row.id, row.id, 0, 1, NOON_MS
        )
        batch = Batch(head, bytes(32), bytes(32), serial_of(row.id), row.booked_on, -1)
        await self._books.post([batch], [row], once, "t")
        self._batch_no += 1

    def forget_a_batch(self) -> None:
        """Count the next batch as the last one was counted."""
        self._batch_no -= 1


def a_row(serial: int, *, day: int, key: bytes = b"key", debit_seq: int = 1) -> Transfer:
    """Build the row of a purchase by wallet 1."""
    return Transfer(
        transfer_id(PARTITION, serial), day, key, 0, TransferKind.PURCHASE.value,
        Outcome.APPROVED.number, purse_account(1), outlet_account(1, PARTITION), 100, -100, 100,
        debit_seq, 0, day, 100, 1, 1, b"a token", 0, 0, "BUMA00000000001", "LSK00001", 1, "", 0,
    )  # fmt: skip


@pytest.fixture
async def ledger(make_database: MakeDatabase) -> AsyncIterator[RealLedger]:
    """Empty books at noon of 24 November 2026 in Jayapura."""
    dsn = await make_database({"card_ledger": Path("services/card_ledger/migrations")})
    async with open_real_ledger(dsn, now_ms=NOON_MS) as real:
        yield real


@pytest.fixture
async def writer(ledger: RealLedger) -> Writer:
    """Whoever holds the lease."""
    owner = await ledger.own()
    return Writer(ledger, owner.tenure.epochs[PARTITION])


async def rows_and_batches(ledger: RealLedger) -> tuple[int, int]:
    """Return how many rows are stored, and the owner row's last batch."""
    (found,) = await ledger.pool.read(
        "SELECT (SELECT count(*) FROM card_ledger.transfer), batch_no"
        " FROM card_ledger.owner WHERE partition = $1",
        PARTITION,
    )
    return found[0], found[1]


class TestUniqueViolation:
    @pytest.mark.parametrize("place", PLACES)
    async def test_of_a_key_is_a_repeat(
        self, ledger: RealLedger, writer: Writer, place: str
    ) -> None:
        """The key index of every partition says so, whatever PostgreSQL has named it."""
        day = await self._store_first(ledger, writer, place)

        with pytest.raises(KeyTaken):
            await writer.post(a_row(2, day=day, debit_seq=2))
        assert (1, 1) == await rows_and_batches(ledger)

    @pytest.mark.parametrize("place", PLACES)
    async def test_of_a_debit_number_is_a_fork(
        self, ledger: RealLedger, writer: Writer, place: str
    ) -> None:
        """A second history of one account is refused, named, and never taken for a repeat."""
        day = await self._store_first(ledger, writer, place)

        with pytest.raises(BooksFork) as caught:
            await writer.post(a_row(2, day=day, key=b"another"))
        assert PLACES[place][2] == caught.value.table
        assert caught.value.constraint.startswith(PLACES[place][2])
        assert f"(debit, debit_seq, key_day) = ({purse_account(1)}, 1, " in str(caught.value)
        assert (1, 1) == await rows_and_batches(ledger)

    @pytest.mark.parametrize("place", PLACES)
    async def test_of_a_row_number_is_a_fork(
        self, ledger: RealLedger, writer: Writer, place: str
    ) -> None:
        """A row with this number is there: the memory of the last number is wrong."""
        day = await self._store_first(ledger, writer, place)

        with pytest.raises(BooksFork, match="id, key_day"):
            await writer.post(a_row(1, day=day, key=b"another", debit_seq=2))
        assert (1, 1) == await rows_and_batches(ledger)

    async def test_of_a_batch_number_is_a_fork(self, ledger: RealLedger, writer: Writer) -> None:
        """The owner row was set back and lets the batch through; the batch is there."""
        day = await self._store_first(ledger, writer, "in a day")
        await ledger.pool.write("UPDATE card_ledger.owner SET batch_no = 0")
        writer.forget_a_batch()

        with pytest.raises(BooksFork, match=r"\(partition, no\) = \(1, 1\) is in batch already"):
            await writer.post(a_row(2, day=day, key=b"another", debit_seq=2))
        assert (1, 0) == await rows_and_batches(ledger)

    async def test_of_an_act_done_once_is_a_fork(self, ledger: RealLedger, writer: Writer) -> None:
        """A second reversal that nobody saw coming moves nothing."""
        day = await self._store_first(ledger, writer, "in a day")
        act = OnceOnly(transfer_id(PARTITION, 1), TransferKind.REVERSAL.value, 0)
        await writer.post(a_row(2, day=day, key=b"another", debit_seq=2), act)

        with pytest.raises(BooksFork, match=r"\(ref, kind\) = \(\d+, 5\) is in once already"):
            await writer.post(a_row(3, day=day, key=b"a third", debit_seq=3), act)
        assert (2, 2) == await rows_and_batches(ledger)

    async def test_of_an_index_that_we_do_not_know_tells_no_values(
        self, ledger: RealLedger, writer: Writer
    ) -> None:
        """Somebody's own index over card tokens: a fork, and no token in its text."""
        day = await self._store_first(ledger, writer, "in a day")
        await ledger.pool.write(
            "CREATE UNIQUE INDEX tokens ON card_ledger.transfer (card_token, key_day)"
        )

        with pytest.raises(BooksFork) as caught:
            await writer.post(a_row(2, day=day, key=b"another", debit_seq=2))
        assert "(card_token, key_day) is in transfer_20261124 already" in str(caught.value)
        assert b"a token".hex() not in str(caught.value)
        assert caught.value.__suppress_context__

    async def _store_first(self, ledger: RealLedger, writer: Writer, place: str) -> int:
        """Store the first row where the case wants it; return its key day."""
        ahead, made, _ = PLACES[place]
        day = ledger.today + ahead
        await writer.post(a_row(1, day=day_number(day)))
        if made:
            await ledger.upkeep.make_days_of_default()
        return day_number(day)
