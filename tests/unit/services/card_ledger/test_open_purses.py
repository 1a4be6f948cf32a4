"""Purses that a command opens: before they are used, once, and only in their own partition."""

from datetime import UTC, date, datetime

import pytest

from libs.bus.port import Record
from libs.clock import day_number
from libs.contracts.accounts import outlet_account, purse_account
from libs.contracts.lesko.v1.card_ledger_pb2 import AccountTerms, LedgerAnswer, LedgerCommand
from libs.fakes.ledger import LedgerBench, a_purchase, a_reference, an_adjustment, an_opening
from libs.outcome import Outcome
from services.card_ledger.domain.book import Terms, WrongPartition
from services.card_ledger.handlers.post_transfers import TenureEnded
from services.card_ledger.handlers.records import CommandBroken

NOON_MS = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)
OWN, RESTRICTED = purse_account(1), purse_account(1, 1)
UNTIL = day_number(date(2030, 12, 31))


@pytest.fixture
def bench() -> LedgerBench:
    """Books without any account."""
    return LedgerBench({}, now_ms=NOON_MS)


def the_record(bench: LedgerBench, command: LedgerCommand) -> Record:
    """The command as the topic gives it."""
    records, _ = bench.records([command])
    ((record,),) = records.values()
    return record


def outcomes(answers: list[LedgerAnswer]) -> list[Outcome]:
    """What was decided."""
    return [Outcome.of(answer.outcome) for answer in answers]


class TestOpenPurses:
    async def test_opens_before_the_same_batch_uses_them(self, bench: LedgerBench) -> None:
        """Opening, money in, money out: one batch, and the order of its commands holds."""
        answers = await bench.post(
            an_opening(AccountTerms(number=OWN)),
            an_adjustment(1_000),
            a_purchase(a_reference(amount=400)),
        )

        assert [Outcome.APPROVED] * 3 == outcomes(answers)
        assert 600 == bench.balance(1)

    async def test_takes_over_the_terms(self, bench: LedgerBench) -> None:
        """Floor 0, ceiling and last day as asked, none where none was named."""
        await bench.post(
            an_opening(
                AccountTerms(number=OWN),
                AccountTerms(
                    number=RESTRICTED, ceiling_minor=5_000, valid_until=UNTIL, programme=7
                ),
            )
        )
        book = bench.tenure.book
        own, restricted = book.account(OWN), book.account(RESTRICTED)

        assert own is not None
        assert restricted is not None
        assert Terms(0, None, None, 0) == own.terms
        assert Terms(0, 5_000, UNTIL, 7) == restricted.terms

    async def test_leaves_open_ones_as_they_are(self, bench: LedgerBench) -> None:
        """Neither terms nor balance change when it is asked again, in the same batch or later."""
        first = an_opening(
            AccountTerms(number=OWN, ceiling_minor=5_000), AccountTerms(number=OWN, ceiling_minor=1)
        )
        again = an_opening(AccountTerms(number=OWN, ceiling_minor=9_000))
        await bench.post(first, an_adjustment(1_000))
        await bench.post(again)
        (above,) = await bench.post(an_adjustment(4_001, stan=2))

        assert Outcome.CEILING is Outcome.of(above.outcome)
        assert 1_000 == bench.balance(1)

    async def test_stores_no_row(self, bench: LedgerBench) -> None:
        """It moves no money; the answer has no key, no number, no balance."""
        (answer,) = await bench.post(an_opening(AccountTerms(number=OWN)))

        assert [] == bench.books.rows
        assert LedgerAnswer(outcome=Outcome.APPROVED.number) == answer

    async def test_needs_nobody_who_waits(self, bench: LedgerBench) -> None:
        """Without an answer topic it is done and nothing is said but the batch's entries."""
        record = the_record(bench, an_opening(AccountTerms(number=OWN)))
        (entries,) = await bench.handler({record.partition: [record._replace(envelope=b"")]})

        assert b"" != entries.value
        assert bench.tenure.book.account(OWN) is not None

    async def test_refuses_a_purse_of_another_partition(self, bench: LedgerBench) -> None:
        """A fault, and nothing is opened; alone it becomes a dead letter, not a stored refusal."""
        command = an_opening(AccountTerms(number=OWN), AccountTerms(number=purse_account(2)))
        record = the_record(bench, command)

        with pytest.raises(WrongPartition):
            await bench.handler({record.partition: [record]})
        with pytest.raises(CommandBroken):
            await bench.handler.refuse_poison(record, "WrongPartition")
        assert {} == bench.books.accounts
        assert [] == bench.books.rows

    @pytest.mark.parametrize(
        "terms",
        [
            AccountTerms(number=outlet_account(1, 1)),
            AccountTerms(number=0),
            AccountTerms(number=OWN + 6),
            AccountTerms(number=OWN, ceiling_minor=-1),
            AccountTerms(number=OWN, valid_until=-1),
            AccountTerms(number=OWN, valid_until=2_000_000_000),
            AccountTerms(number=OWN, programme=-1),
        ],
    )
    async def test_opens_nothing_but_purses(self, bench: LedgerBench, terms: AccountTerms) -> None:
        """A shard, no account at all, a sixth purse, bounds that are none."""
        record = the_record(bench, an_opening(terms))

        with pytest.raises(CommandBroken):
            await bench.handler({record.partition: [record]})
        assert {} == bench.books.accounts

    async def test_says_nothing_once_replaced(self, bench: LedgerBench) -> None:
        """An owner that was fenced answers no opening either."""
        bench.books.own(1, 2)

        with pytest.raises(TenureEnded):
            await bench.post(an_opening(AccountTerms(number=OWN)))
