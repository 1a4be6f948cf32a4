"""Questions for what moved: answered beside the loop, behind the fence, or not at all."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from libs.bus.port import Outgoing
from libs.contracts.accounts import purse_account
from libs.contracts.envelope import read_envelope
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand, WalletMovements
from libs.contracts.topics import WALLET_MOVEMENTS
from libs.fakes.ledger import (
    TODAY,
    Heard,
    LedgerBench,
    a_purchase,
    a_question,
    a_reference,
    an_account,
    an_adjustment,
)
from libs.outcome import Fault
from services.card_ledger.domain.book import WrongPartition
from services.card_ledger.domain.movement import ROWS_MAX, Movements, Period
from services.card_ledger.handlers.asked import Asked, read_asked
from services.card_ledger.handlers.post_transfers import TenureEnded
from services.card_ledger.handlers.records import CommandBroken
from services.card_ledger.handlers.tell_movements import WAITING_MAX, TellMovements

NOON_MS = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def bench() -> LedgerBench:
    """Wallet 1 with Rp 10.00 of its own."""
    return LedgerBench({purse_account(1): an_account(1_000)}, now_ms=NOON_MS)


async def told(bench: LedgerBench, command: LedgerCommand) -> tuple[Outgoing, bytes]:
    """The one answer to a question, and the correlation id it was asked under."""
    records, (correlation,) = bench.records([command])
    await bench.handler(records)
    await bench.tell.answer_next()
    (answer,) = bench.heard.records
    return answer, correlation


class TestQuestions:
    async def test_are_answered_where_they_were_asked(self, bench: LedgerBench) -> None:
        """Topic and partition of the asker, its correlation id as key and inside."""
        answer, correlation = await told(bench, a_question())
        envelope = read_envelope(answer.envelope)

        assert ("test.answers.v1", 0, correlation) == answer[:3]
        assert (WALLET_MOVEMENTS, correlation) == (envelope.schema, envelope.correlation_id)
        assert correlation == WalletMovements.FromString(answer.value).correlation_id

    async def test_get_no_other_answer(self, bench: LedgerBench) -> None:
        """The batch that carries one publishes its entries only."""
        records, _ = bench.records([a_question()])

        assert 1 == len(await bench.handler(records))

    async def test_are_told_what_their_batch_committed(self, bench: LedgerBench) -> None:
        """Opening, movements and closing of the day, the purchase before it included."""
        records, _ = bench.records([a_purchase(a_reference(amount=300)), a_question()])
        await bench.handler(records)
        await bench.tell.answer_next()
        page = WalletMovements.FromString(bench.heard.records[-1].value)

        assert [1_000] == [one.amount_minor for one in page.opening]
        assert [300] == [row.amount_minor for row in page.movements]
        assert [700] == [one.amount_minor for one in page.closing]

    async def test_leave_out_other_days_and_refusals(self, bench: LedgerBench) -> None:
        """What was booked before is in the opening; what moved nothing is nowhere."""
        await bench.post(a_purchase(a_reference(stan=1, amount=300)))
        bench.clock.advance(24 * 3600 * 1000)
        await bench.post(
            a_purchase(a_reference(stan=2, amount=9_999)),
            a_purchase(a_reference(stan=3, amount=100)),
        )
        tomorrow = TODAY + timedelta(days=1)
        page = await bench.ask(a_question(first=tomorrow, last=tomorrow))

        assert [700] == [one.amount_minor for one in page.opening]
        assert [100] == [row.amount_minor for row in page.movements]
        assert [600] == [one.amount_minor for one in page.closing]

    async def test_go_on_behind_a_row(self, bench: LedgerBench) -> None:
        """Pages follow one another without a gap; balances stand on the first one only."""
        await bench.post(*(an_adjustment(1, stan=stan) for stan in range(6)))
        first = await bench.ask(a_question(rows_max=3))
        rest = await bench.ask(a_question(rows_max=3, after=first.movements[-1].id))
        ids = [row.id for page in (first, rest) for row in page.movements]

        assert (3, True, 3, False) == (
            len(first.movements),
            first.has_more,
            len(rest.movements),
            rest.has_more,
        )
        assert sorted(set(ids)) == ids
        assert [] == [*rest.opening, *rest.closing]

    async def test_get_a_bounded_page(self, bench: LedgerBench) -> None:
        """Whoever asks for more, or for no number, gets as much as one page holds."""
        await bench.post(*(an_adjustment(1, stan=stan) for stan in range(ROWS_MAX + 1)))
        for rows_max in (0, -1, ROWS_MAX + 1):
            page = await bench.ask(a_question(rows_max=rows_max))

            assert (ROWS_MAX, True) == (len(page.movements), page.has_more)

    async def test_about_wallets_of_another_partition_are_faults(self, bench: LedgerBench) -> None:
        """Their sender counts partitions otherwise."""
        records, _ = bench.records([a_question(wallet=2)])
        ((record,),) = records.values()

        with pytest.raises(WrongPartition):
            await bench.handler({1: [record._replace(partition=1)]})
        with pytest.raises(CommandBroken):
            await bench.handler.refuse_poison(record._replace(partition=1), "WrongPartition")

    async def test_are_not_answered_by_an_owner_that_was_replaced(self, bench: LedgerBench) -> None:
        """The fence comes first: no question of its batch is ever told."""
        bench.books.own(1, 2)
        records, _ = bench.records([a_question()])

        with pytest.raises(TenureEnded):
            await bench.handler(records)
        assert 0 == bench.tell.waiting


class Unreadable:
    """Books that fail the first time."""

    def __init__(self) -> None:
        self.fails = True

    async def read_movements(self, period: Period) -> Movements:
        """Fail once, then tell of nothing."""
        if self.fails:
            self.fails = False
            raise Fault("gone")
        return Movements((), (), (), has_more=False)


def questions(bench: LedgerBench, count: int) -> Sequence[Asked]:
    """As a batch hands them on."""
    records, _ = bench.records([a_question()] * count)
    return [read_asked(record) for some in records.values() for record in some]


class TestTellMovements:
    async def test_is_silent_where_the_books_cannot_be_read(self, bench: LedgerBench) -> None:
        """The asker asks again; the next question is answered."""
        heard = Heard()
        tell = TellMovements(Unreadable(), heard, send_timeout_ms=1_000)
        tell.ask(questions(bench, 2))
        await tell.answer_next()
        await tell.answer_next()

        assert 1 == len(heard.records)

    async def test_keeps_a_bounded_number(self, bench: LedgerBench) -> None:
        """Too many questions are dropped, never piled up."""
        tell = TellMovements(bench.books, bench.heard, send_timeout_ms=1_000)
        tell.ask(questions(bench, WAITING_MAX + 5))

        assert WAITING_MAX == tell.waiting

    async def test_answers_nobody_who_does_not_wait(self, bench: LedgerBench) -> None:
        """A question without an answer topic is not even read for."""
        (one,) = questions(bench, 1)
        one.envelope.answer_topic = ""
        bench.tell.ask([one])

        assert 0 == bench.tell.waiting
