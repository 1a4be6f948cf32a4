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


INSERT_ROW = """
    INSERT INTO card_ledger.transfer
    SELECT {number}, credit, debit, 5000000, credit_after, debit_after + 5000000, 777, ref, asked,
           wallet, card, at, key_day, booked_on, processing_code, stan, outcome, flags, 0, 2,
           goods_class, decode(repeat('ab', 16), 'hex'), card_token, outlet, terminal, rrn_sent
      FROM card_ledger.transfer WHERE stan = 1 AND kind = 1;
"""
INSERT_BATCH = """
    INSERT INTO card_ledger.batch
    SELECT partition, -5, epoch, incarnation, (1::bigint << 48) + 1005, (1::bigint << 48) + 1005,
           source_offset, 1, previous_hash, hash, at_ms
      FROM card_ledger.batch WHERE partition = 1 AND no = 2;
"""
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
    "an edited debit number": (
        "UPDATE card_ledger.account SET seq = seq - 1 WHERE floor = 0",
        "projected up to its debit 2, its rows say 3",
    ),
    "a deleted account": (
        "DELETE FROM card_ledger.account WHERE floor = 0",
        "is not there, its rows say 99800",
    ),
    "an edited last row": (
        "UPDATE card_ledger.owner SET serial = serial - 1 WHERE partition = 1",
        "partition 1: ends at row 5, its owner row says 4",
    ),
    "an edited limit amount": (
        "UPDATE card_ledger.limit_usage SET amount = 1",
        "limit usage says 1 sen in 2 purchases, its rows say 200 sen in 2 purchases",
    ),
    "an edited limit count": (
        "UPDATE card_ledger.limit_usage SET count = 0",
        "limit usage says 200 sen in 0 purchases, its rows say 200 sen in 2 purchases",
    ),
    "a limit moved to another day": (
        "UPDATE card_ledger.limit_usage SET booked_on = booked_on - 1",
        "wallet 1 on 2026-11-23: limit usage says 200 sen in 2 purchases, its rows say nothing",
    ),
    "a limit hidden in another partition": (
        "UPDATE card_ledger.limit_usage SET partition = 99",
        "partition 99 wallet 1 on 2026-11-24: limit usage says 200 sen",
    ),
    "a deleted limit": (
        "DELETE FROM card_ledger.limit_usage",
        "wallet 1 on 2026-11-24: limit usage says nothing, its rows say 200 sen in 2 purchases",
    ),
    "an invented limit": (
        "INSERT INTO card_ledger.limit_usage VALUES (9, DATE '2026-11-24', -500, 0, 1)",
        "wallet 9 on 2026-11-24: limit usage says -500 sen in 0 purchases, its rows say nothing",
    ),
    "an edited batch": (
        "UPDATE card_ledger.batch SET at_ms = at_ms + 1 WHERE partition = 1 AND no = 2",
        "a column of its rows or of itself",
    ),
    "a row under the number of no partition": (
        INSERT_ROW.format(number="(99::bigint << 48) + 1"),
        "its partition 99 has no such number",
    ),
    "a row under a number below all": (
        INSERT_ROW.format(number="-5"),
        "its partition -1 has no such number",
    ),
    "a batch before the first that covers an inserted row": (
        INSERT_ROW.format(number="(1::bigint << 48) + 1005") + INSERT_BATCH,
        "has 6 rows, its batches 5",
    ),
    "an account of no partition": (
        "UPDATE card_ledger.account SET partition = 99 WHERE floor = 0",
        "its partition 99 has no such number",
    ),
    "an account in another partition": (
        "UPDATE card_ledger.account SET partition = 2 WHERE floor = 0",
        "does not belong to partition 2",
    ),
    "a purse without a floor": (
        "UPDATE card_ledger.account SET floor = NULL WHERE floor = 0",
        "its floor was changed",
    ),
    "a purse that may be overdrawn": (
        "UPDATE card_ledger.account SET floor = -99999999 WHERE floor = 0",
        "its floor was changed",
    ),
    "a partition without its owner row": (
        "DELETE FROM card_ledger.owner WHERE partition = 3",
        "partition 3: is not there any more",
    ),
    "a partition too many": (
        "INSERT INTO card_ledger.owner (partition) VALUES (77)",
        "partition 77: the books were made without it",
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
        for statement in filter(str.strip, sql.split(";")):
            await ledger.pool.write(statement)
        report = await ledger.verify()

        assert any(sentence in finding for finding in report.findings), report.findings

    async def test_compares_limits_up_to_where_they_are_projected(self, ledger: RealLedger) -> None:
        """Behind, between and after: two purses in one purchase, and a reversal on another day."""
        owner = await ledger.own()
        await ledger.open(owner, [Opening(1, 1, 1, None, None, 1_000)])
        lines = ((0, 300, (1, 0)), (0, 900, (1, 0)))
        await owner.post(a_purchase(a_reference(stan=4, amount=1_200), lines=lines))
        ledger.clock.advance(24 * 3600 * 1000)
        await owner.post(
            a_reversal(a_reference(stan=4, amount=1_200)),
            a_reversal(a_reference(stan=3, amount=100)),
            a_purchase(a_reference(stan=5, amount=70, day=ledger.today)),
        )

        for _ in range(10):
            assert [] == (await ledger.verify()).findings
            await ledger.pool.write(
                "SELECT card_ledger.project(1, projected_id + 1) FROM"
                " card_ledger.owner WHERE partition = 1 AND"
                " projected_id < (1::bigint << 48) + serial"
            )
        days = await ledger.pool.read(
            "SELECT amount, count FROM card_ledger.limit_usage ORDER BY booked_on"
        )
        assert [(100, 1), (70, 1)] == [tuple(day) for day in days]

    async def test_counts_wrong_limits_that_it_does_not_name(self, ledger: RealLedger) -> None:
        """A table full of wrong limits is one more sentence, not a million."""
        await ledger.pool.write(
            "INSERT INTO card_ledger.limit_usage"
            " SELECT n, DATE '2026-11-24', 1, 1, 1 FROM generate_series(2, 131) AS n"
        )
        findings = (await ledger.verify()).findings

        assert 101 == len(findings)
        assert "limit usage is wrong on 30 more wallet days" == findings[-1]

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
            """UPDATE card_ledger.account SET balance = balance + 100, seq = 0
                WHERE number >> 56 = 2""",
            "UPDATE card_ledger.limit_usage SET amount = amount + 100, count = count + 1",
        ):
            await ledger.pool.write(sql)

        assert (await ledger.verify()).is_clean
        (finding,) = (await ledger.verify(published)).findings
        assert "the tail was cut" in finding

    async def test_names_books_that_were_emptied(self, ledger: RealLedger) -> None:
        """Where nothing is left to walk, what was published outside is still asked for."""
        published = (await ledger.verify()).heads
        tables = ("transfer", "batch", "once", "account", "limit_usage", "owner", "setting")
        names = ", ".join(f"card_ledger.{table}" for table in tables)
        await ledger.pool.write(f"TRUNCATE {names}")

        assert ["partition 1: is not there any more"] == (await ledger.verify(published)).findings
