"""Tampering that the verifier must name: edited, deleted and inserted rows, a cut tail."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from libs.fakes.ledger import a_purchase, a_reference, a_reversal
from libs.fakes.postgres_ledger import RealLedger, open_real_ledger
from services.card_ledger.handlers.open_accounts import Opening

pytestmark = pytest.mark.postgres

MakeDatabase = Callable[[Mapping[str, Path]], Awaitable[str]]
NOON_MS = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
async def ledger(make_database: MakeDatabase) -> AsyncIterator[RealLedger]:
    """Books with openings, three purchases and a reversal in partition 1, in five batches."""
    dsn = await make_database({"card_ledger": Path("services/card_ledger/migrations")})
    async with open_real_ledger(dsn, now_ms=NOON_MS) as real:
        owner = await real.own()
        await real.open(owner, [Opening(1, 0, 0, None, None, 100_000)])
        for stan in (1, 2, 3):
            await owner.post(a_purchase(a_reference(stan=stan, amount=100)))
        await owner.post(a_reversal(a_reference(stan=2, amount=100)))
        await real.upkeep.project(range(4), rows_max=100)
        yield real


TAMPERED = {
    "an edited amount": (
        "UPDATE card_ledger.transfer SET amount = 1 WHERE stan = 1",
        "a column of its rows",
    ),
    "an edited outlet": (
        "UPDATE card_ledger.transfer SET outlet = 'X' WHERE stan = 3 AND kind = 1",
        "a column of its rows",
    ),
    "an edited time": (
        "UPDATE card_ledger.transfer SET at = at - interval '1 day' WHERE stan = 3",
        "its time is not its batch's",
    ),
    "a deleted row": ("DELETE FROM card_ledger.transfer WHERE stan = 1", "has 0 rows"),
    "a deleted batch": (
        "DELETE FROM card_ledger.batch WHERE partition = 1 AND no = 3",
        "batches 3 to 3 are missing",
    ),
    "an inserted row": (
        """INSERT INTO card_ledger.transfer
           SELECT id + 1000, debit, credit, amount, debit_after, credit_after, debit_seq + 1000,
                  ref, asked, wallet, card, at, key_day, booked_on, processing_code, stan,
                  outcome, flags, 7, kind, goods_class, key, card_token, outlet, terminal,
                  rrn_sent
             FROM card_ledger.transfer WHERE stan = 1""",
        "no batch wrote it",
    ),
    "a forgotten reversal": ("DELETE FROM card_ledger.once", "the once table does not know it"),
    "an invented reversal": (
        "INSERT INTO card_ledger.once VALUES ((1::bigint << 48) + 2, 5, 1)",
        "no row does it",
    ),
    "an edited projection": (
        "UPDATE card_ledger.account SET balance = balance + 1 WHERE floor = 0",
        "projected",
    ),
    "an edited batch": (
        "UPDATE card_ledger.batch SET at_ms = at_ms + 1 WHERE partition = 1 AND no = 2",
        "a column of its rows or of itself",
    ),
    "an edited owner row": (
        "UPDATE card_ledger.owner SET head = decode(repeat('11', 32), 'hex') WHERE partition = 1",
        "another history",
    ),
}


class TestVerifyBooks:
    async def test_finds_honest_books_clean(self, ledger: RealLedger) -> None:
        """Everything fits and the sum over all accounts is zero."""
        report = await ledger.verify()

        assert [] == report.findings
        assert (5, 5, 0) == (report.rows, report.batches, report.total_minor)

    @pytest.mark.parametrize("what", TAMPERED)
    async def test_names_what_was_tampered_with(self, ledger: RealLedger, what: str) -> None:
        """Each kind of tampering has its sentence."""
        sql, sentence = TAMPERED[what]
        await ledger.pool.write(sql)
        report = await ledger.verify()

        assert any(sentence in finding for finding in report.findings), report.findings

    async def test_names_a_cut_tail_against_a_published_head(self, ledger: RealLedger) -> None:
        """The last batch goes, and all that points at it is put right: only the head tells."""
        published = (await ledger.verify()).heads
        for sql in (
            "DELETE FROM card_ledger.once",
            "DELETE FROM card_ledger.transfer WHERE kind = 5",
            "DELETE FROM card_ledger.batch WHERE partition = 1 AND no = 5",
            """UPDATE card_ledger.owner o SET batch_no = 4, serial = 4,
                      head = (SELECT hash FROM card_ledger.batch b
                               WHERE b.partition = 1 AND b.no = 4) WHERE partition = 1""",
            "UPDATE card_ledger.account SET balance = balance - 100 WHERE floor = 0",
            "UPDATE card_ledger.account SET balance = balance + 100 WHERE number >> 56 = 2",
        ):
            await ledger.pool.write(sql)

        assert (await ledger.verify()).is_clean
        (finding,) = (await ledger.verify(published)).findings
        assert "the tail was cut" in finding
