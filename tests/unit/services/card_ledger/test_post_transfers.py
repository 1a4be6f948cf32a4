"""The posting of a batch on memory books: key first, then verdict, then money."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from libs.contracts.accounts import outlet_account, purse_account
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerAnswer, Limits
from libs.fakes.ledger import (
    TODAY,
    LedgerBench,
    a_purchase,
    a_reference,
    a_reversal,
    an_account,
    an_inquiry,
)
from libs.outcome import Outcome
from services.card_ledger.domain.kinds import TransferKind
from services.card_ledger.handlers.post_transfers import TenureEnded

NOON_MS = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)
RICE = 11


def said(answer: LedgerAnswer) -> Outcome:
    """The outcome of an answer."""
    return Outcome.of(answer.outcome)


@pytest.fixture
def bench() -> LedgerBench:
    """Wallets 1 and 2 with Rp 100,000.00; wallet 1 also has a restricted purse of Rp 500.00."""
    return LedgerBench(
        {
            purse_account(1): an_account(100_000_00),
            purse_account(1, 1): an_account(500_00, programme=1, valid_until=date(2030, 12, 31)),
            purse_account(2): an_account(100_000_00),
        },
        now_ms=NOON_MS,
    )


class TestPurchase:
    async def test_moves_the_money_once(self, bench: LedgerBench) -> None:
        """The purse is debited and the outlet's shard credited by one row."""
        (answer,) = await bench.post(a_purchase(a_reference(amount=30_00)))

        assert Outcome.APPROVED is said(answer)
        assert 99_970_00 == bench.balance(1)
        assert [(purse_account(1), outlet_account(1, 1), 30_00)] == [
            (row.debit, row.credit, row.amount) for row in bench.books.rows
        ]
        assert [(purse_account(1), 0, 99_970_00)] == [
            (b.account, b.programme, b.amount_minor) for b in answer.balances
        ]

    async def test_answers_a_repeat_as_before_with_the_balance_of_now(
        self, bench: LedgerBench
    ) -> None:
        """DE37, 38 and 39 are those of the first answer; nothing moves again."""
        (first,) = await bench.post(a_purchase(a_reference(stan=1, amount=30_00)))
        await bench.post(a_purchase(a_reference(stan=2, amount=5_00)))
        (repeat,) = await bench.post(a_purchase(a_reference(stan=1, amount=30_00)))

        assert (first.rrn, first.approval_code, first.outcome) == (
            repeat.rrn,
            repeat.approval_code,
            repeat.outcome,
        )
        assert 99_965_00 == repeat.balances[0].amount_minor
        assert 99_965_00 == bench.balance(1)

    async def test_answers_a_repeat_inside_the_batch(self, bench: LedgerBench) -> None:
        """Later items see earlier ones."""
        reference = a_reference(amount=30_00)

        first, repeat = await bench.post(a_purchase(reference), a_purchase(reference))

        assert (first.rrn, False) == (first.rrn, first.is_replay)
        assert (first.rrn, True) == (repeat.rrn, repeat.is_replay)
        assert 99_970_00 == bench.balance(1)

    @pytest.mark.parametrize(
        "other",
        [
            {"amount": 31_00},
            {"wallet": 2},
            {"processing_code": 1000},
            {"outlet": "BUMA00000000002"},
            {"rrn_sent": "000000000002"},
        ],
    )
    async def test_refuses_the_same_key_with_other_content(
        self, bench: LedgerBench, other: dict[str, Any]
    ) -> None:
        """94, field by field, and nothing moves."""
        await bench.post(a_purchase(a_reference(amount=30_00, rrn_sent="000000000001")))
        content: dict[str, Any] = {"amount": 30_00, "rrn_sent": "000000000001", **other}
        wallet = int(other.get("wallet", 1))
        (answer,) = await bench.post(a_purchase(a_reference(**content), wallet=wallet))

        assert Outcome.DUPLICATE_REFERENCE is said(answer)
        assert 1 == len(bench.books.rows)

    async def test_compares_de37_only_where_both_carry_one(self, bench: LedgerBench) -> None:
        """A repeat that dropped its DE37 is still the same purchase."""
        await bench.post(a_purchase(a_reference(rrn_sent="000000000001")))
        (answer,) = await bench.post(a_purchase(a_reference()))

        assert (Outcome.APPROVED, "000000000001") == (said(answer), answer.rrn)

    async def test_declines_one_sen_more(self, bench: LedgerBench) -> None:
        """All of the purse may go, one sen more is 51 and the balance is told."""
        all_of_it, more = await bench.post(
            a_purchase(a_reference(stan=1, amount=100_000_00)),
            a_purchase(a_reference(stan=2, amount=1)),
        )

        assert (Outcome.APPROVED, Outcome.FUNDS_SHORT) == (said(all_of_it), said(more))
        assert 0 == more.balances[0].amount_minor

    async def test_keeps_a_refusal_a_refusal(self, bench: LedgerBench) -> None:
        """A repeat of a refused purchase hears 51 even when the money is there by then."""
        await bench.post(a_purchase(a_reference(stan=1, amount=60_000_00)))
        await bench.post(a_purchase(a_reference(stan=2, amount=60_000_00)))
        await bench.post(a_reversal(a_reference(stan=1, amount=60_000_00)))
        (repeat,) = await bench.post(a_purchase(a_reference(stan=2, amount=60_000_00)))

        assert Outcome.FUNDS_SHORT is said(repeat)
        assert 100_000_00 == bench.balance(1)

    async def test_stores_an_attached_verdict(self, bench: LedgerBench) -> None:
        """What authorization refused is a row, and its repeat hears the same."""
        blocked = Outcome.CARD_BLOCKED.number
        (first,) = await bench.post(a_purchase(a_reference(), verdict=blocked))
        (repeat,) = await bench.post(a_purchase(a_reference()))

        assert (Outcome.CARD_BLOCKED, Outcome.CARD_BLOCKED) == (said(first), said(repeat))
        assert 100_000_00 == bench.balance(1)

    async def test_looks_the_key_up_before_an_attached_verdict(self, bench: LedgerBench) -> None:
        """A card blocked since does not change what its earlier purchase heard."""
        await bench.post(a_purchase(a_reference()))
        (repeat,) = await bench.post(a_purchase(a_reference(), verdict=Outcome.CARD_BLOCKED.number))

        assert Outcome.APPROVED is said(repeat)

    async def test_refuses_a_new_key_without_storing_it(self, bench: LedgerBench) -> None:
        """A date outside the window is 30 for a new key and nothing is kept."""
        window = Outcome.DATE_OUT_OF_WINDOW.number
        (new,) = await bench.post(a_purchase(a_reference(), refuse_new=window))
        (corrected,) = await bench.post(a_purchase(a_reference()))
        (repeat,) = await bench.post(a_purchase(a_reference(), refuse_new=window))

        assert Outcome.DATE_OUT_OF_WINDOW is said(new)
        assert (Outcome.APPROVED, Outcome.APPROVED) == (said(corrected), said(repeat))

    async def test_stores_a_late_one_as_refused(self, bench: LedgerBench) -> None:
        """Met after its deadline it is 68, and stays so for its repeat."""
        (late,) = await bench.post(a_purchase(a_reference()), deadline_ms=NOON_MS - 1)
        (repeat,) = await bench.post(a_purchase(a_reference()), deadline_ms=NOON_MS + 8_000)

        assert (Outcome.TOO_LATE, Outcome.TOO_LATE) == (said(late), said(repeat))

    async def test_splits_by_purse(self, bench: LedgerBench) -> None:
        """The restricted purse pays what it may, the own purse the rest."""
        lines = ((RICE, 700_00, (1, 0)), (0, 100_00, (0,)))
        (answer,) = await bench.post(a_purchase(a_reference(amount=800_00), lines=lines))

        assert [(1, 500_00), (0, 300_00)] == [(p.programme, p.amount_minor) for p in answer.paid]

    async def test_pays_from_the_purse_that_expires_first_across_lines(self) -> None:
        """The order is the wallet's, by expiry, not that of the purses' numbers."""
        bench = LedgerBench(
            {
                purse_account(1): an_account(1_000),
                **{purse_account(1, n): an_account(100, programme=n) for n in (1, 2, 3)},
            },
            now_ms=NOON_MS,
        )
        command = a_purchase(
            a_reference(amount=200),
            lines=((1, 100, (3, 2, 0)), (2, 100, (3, 1, 0))),
        )
        command.accounts[:] = [purse_account(1, n) for n in (0, 3, 2, 1)]
        (answer,) = await bench.post(command)

        assert [3, 2] == [part.programme for part in answer.paid]

    async def test_leaves_an_expired_purse_alone(self, bench: LedgerBench) -> None:
        """Validity is checked inside the commit, by the booking day."""
        bench.clock.jump_to(int(datetime(2031, 1, 1, 3, tzinfo=UTC).timestamp() * 1000))
        lines = ((0, 100_00, (1, 0)),)
        (answer,) = await bench.post(a_purchase(a_reference(amount=100_00), lines=lines))

        assert [0] == [part.programme for part in answer.paid]
        assert [0] == [shown.programme for shown in answer.balances]


class TestLimits:
    async def test_refuses_amount_before_count(self, bench: LedgerBench) -> None:
        """61 stands before 65; a refusal does not count."""
        limits = Limits(day_amount_minor=100_00, day_count=2)
        answers = await bench.post(
            *(
                a_purchase(a_reference(stan=n, amount=amount), limits=limits)
                for n, amount in enumerate((40_00, 70_00, 60_00, 1))
            )
        )

        assert [
            Outcome.APPROVED,
            Outcome.AMOUNT_LIMIT,
            Outcome.APPROVED,
            Outcome.AMOUNT_LIMIT,
        ] == [said(answer) for answer in answers]
        (fourth,) = await bench.post(
            a_purchase(a_reference(stan=9, amount=1), limits=Limits(day_count=2))
        )
        assert Outcome.COUNT_LIMIT is said(fourth)

    async def test_gives_amount_and_count_back(self, bench: LedgerBench) -> None:
        """A reversal frees the limit of the original's booking day."""
        limits = Limits(day_amount_minor=100_00, day_count=1)
        await bench.post(a_purchase(a_reference(stan=1, amount=100_00), limits=limits))
        await bench.post(a_reversal(a_reference(stan=1, amount=100_00)))
        (again,) = await bench.post(a_purchase(a_reference(stan=2, amount=100_00), limits=limits))

        assert Outcome.APPROVED is said(again)

    async def test_does_not_give_back_to_another_day(self, bench: LedgerBench) -> None:
        """Yesterday's purchase, reversed today, leaves today's count as it is."""
        limits = Limits(day_amount_minor=100_00)
        await bench.post(a_purchase(a_reference(stan=1, amount=100_00), limits=limits))
        bench.clock.advance(24 * 3600 * 1000)
        await bench.post(a_purchase(a_reference(stan=2, amount=100_00), limits=limits))
        await bench.post(a_reversal(a_reference(stan=1, amount=100_00)))
        (more,) = await bench.post(a_purchase(a_reference(stan=3, amount=1), limits=limits))

        assert Outcome.AMOUNT_LIMIT is said(more)


class TestReversal:
    async def test_gives_each_purse_its_part_back_once(self, bench: LedgerBench) -> None:
        """However often it is asked; the answer's number stays."""
        lines = ((0, 700_00, (1, 0)),)
        reference = a_reference(amount=700_00)
        await bench.post(a_purchase(reference, lines=lines))
        first, again = await bench.post(a_reversal(reference), a_reversal(reference))
        (third,) = await bench.post(a_reversal(reference))

        assert [Outcome.APPROVED] * 3 == [said(answer) for answer in (first, again, third)]
        assert first.rrn == again.rrn == third.rrn
        assert (100_000_00, 500_00) == (bench.balance(1), bench.balance(1, 1))
        assert 100_000_00 == third.balances[0].amount_minor

    async def test_makes_the_repeat_of_its_original_hear_68(self, bench: LedgerBench) -> None:
        """Nothing moves, and no number of ours is told."""
        await bench.post(a_purchase(a_reference()))
        await bench.post(a_reversal(a_reference()))
        (repeat,) = await bench.post(a_purchase(a_reference()))

        assert (Outcome.REVERSED, "") == (said(repeat), repeat.rrn)
        assert 100_000_00 == bench.balance(1)

    async def test_leaves_a_tombstone_for_an_unknown_original(self, bench: LedgerBench) -> None:
        """It hears 00 each time, and the original that comes later 68, whatever it holds."""
        (early,) = await bench.post(a_reversal(a_reference()))
        (again,) = await bench.post(a_reversal(a_reference(amount=77_00)))
        (late,) = await bench.post(a_purchase(a_reference()))
        (other,) = await bench.post(a_purchase(a_reference(amount=77_00)))

        assert [Outcome.APPROVED] * 2 == [said(early), said(again)]
        assert [Outcome.REVERSED] * 2 == [said(late), said(other)]
        assert [TransferKind.TOMBSTONE] == [row.kind for row in bench.books.rows]

    @pytest.mark.parametrize("other", [{"amount": 11_00}, {"wallet": 2}])
    async def test_refuses_other_content_and_keeps_nothing(
        self, bench: LedgerBench, other: dict[str, Any]
    ) -> None:
        """94, so that a right reversal can follow."""
        await bench.post(a_purchase(a_reference(amount=10_00)))
        (wrong,) = await bench.post(
            a_reversal(a_reference(**{"amount": 10_00, **other}), wallet=other.get("wallet", 1))
        )
        (right,) = await bench.post(a_reversal(a_reference(amount=10_00)))

        assert (Outcome.DUPLICATE_REFERENCE, Outcome.APPROVED) == (said(wrong), said(right))
        assert 100_000_00 == bench.balance(1)

    async def test_moves_nothing_for_a_refused_original(self, bench: LedgerBench) -> None:
        """00, and the refusal stays what its repeat hears."""
        reference = a_reference(amount=200_000_00)
        await bench.post(a_purchase(reference))
        (reversal,) = await bench.post(a_reversal(reference))
        (repeat,) = await bench.post(a_purchase(reference))

        assert (Outcome.APPROVED, 0) == (said(reversal), len(reversal.balances))
        assert Outcome.FUNDS_SHORT is said(repeat)
        assert 100_000_00 == bench.balance(1)

    async def test_is_never_too_late(self, bench: LedgerBench) -> None:
        """No deadline stops a reversal."""
        await bench.post(a_purchase(a_reference()))
        (answer,) = await bench.post(a_reversal(a_reference()), deadline_ms=NOON_MS - 1)

        assert Outcome.APPROVED is said(answer)
        assert 100_000_00 == bench.balance(1)


class TestInquiry:
    async def test_tells_the_balance_behind_the_fence(self, bench: LedgerBench) -> None:
        """It stores no row, but its batch proves that the partition is still ours."""
        (answer,) = await bench.post(an_inquiry())

        assert (Outcome.APPROVED, 100_000_00) == (said(answer), answer.balances[0].amount_minor)
        assert (0, 1) == (len(bench.books.rows), len(bench.books.batches))

    async def test_answers_nothing_after_the_lease_is_lost(self, bench: LedgerBench) -> None:
        """A woken owner learns that it is fenced before it says anything."""
        bench.books.own(1, 2)

        with pytest.raises(TenureEnded):
            await bench.post(an_inquiry())
        assert [] == bench.books.rows


class TestKeys:
    async def test_tells_new_years_apart(self, bench: LedgerBench) -> None:
        """The same terminal, STAN and month and day a year later is another purchase."""
        await bench.post(a_purchase(a_reference(day=TODAY)))
        (answer,) = await bench.post(a_purchase(a_reference(day=date(2027, 11, 24))))

        assert (Outcome.APPROVED, False) == (said(answer), answer.is_replay)
        assert 2 == len(bench.books.rows)

    async def test_finds_a_key_of_another_partition(self, bench: LedgerBench) -> None:
        """Two cards with one key, in two partitions of one batch: the second hears 94."""
        first, second = await bench.post(
            a_purchase(a_reference(wallet=1), wallet=1),
            a_purchase(a_reference(wallet=2), wallet=2),
        )

        assert (Outcome.APPROVED, Outcome.DUPLICATE_REFERENCE) == (said(first), said(second))


class TestFigures:
    async def test_counts_rows_repeats_and_lost_partitions(self, bench: LedgerBench) -> None:
        """What an operator watches moves with what happens."""
        reference = a_reference()
        await bench.post(a_purchase(reference), a_purchase(reference))
        bench.books.own(1, 2)
        with pytest.raises(TenureEnded):
            await bench.post(an_inquiry())

        registry = bench.metrics.registry
        assert [1.0, 1.0, 1.0, 2.0, 1.0] == [
            registry.get_sample_value(f"lesko_ledger_{name}")
            for name in (
                "rows_total",
                "replays_total",
                "fence_lost_total",
                "batch_records_sum",
                "commit_seconds_count",
            )
        ]
