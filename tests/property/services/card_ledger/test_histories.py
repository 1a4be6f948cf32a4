"""Random histories on memory books: conservation, replay, other cuts, reorder between wallets."""

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.contracts.accounts import purse_account
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerAnswer, LedgerCommand, Limits
from libs.fakes.ledger import (
    LedgerBench,
    a_purchase,
    a_reference,
    a_reversal,
    an_account,
)
from services.card_ledger.domain.book import Account
from services.card_ledger.domain.kinds import TransferKind

NOON_MS = int(datetime(2026, 11, 24, 3, tzinfo=UTC).timestamp() * 1000)
WALLETS = (1, 2, 5)  # 1 and 5 share a partition.
BALANCE = 1_000
LIMITS = Limits(day_amount_minor=1_500, day_count=6)


def the_accounts() -> dict[int, Account]:
    """Fresh purses for every run."""
    return {
        **{purse_account(wallet): an_account(BALANCE) for wallet in WALLETS},
        **{purse_account(wallet, 1): an_account(200, programme=1) for wallet in WALLETS},
    }


@st.composite
def commands(draw: st.DrawFn) -> LedgerCommand:
    """A purchase or reversal; few keys and amounts, so that they meet often."""
    wallet = draw(st.sampled_from(WALLETS))
    amount = draw(st.sampled_from((1, 300, 700, 1_200)))
    # A key belongs to one wallet, as a terminal's STAN does: only repeats share it.
    stan = draw(st.integers(0, 3)) * 10 + wallet
    reference = a_reference(stan=stan, amount=amount, wallet=wallet)
    if draw(st.booleans()):
        purses = (1, 0) if draw(st.booleans()) else (0,)
        lines = ((0, amount, purses),)
        return a_purchase(reference, wallet=wallet, lines=lines, limits=LIMITS)
    return a_reversal(reference, wallet=wallet)


histories = st.lists(commands(), min_size=1, max_size=25)
cuts = st.lists(st.integers(1, 6), min_size=1, max_size=25)

Verdict = tuple[int, str]


def verdict(answer: LedgerAnswer) -> int:
    """What was decided; numbers and balances differ between cuts, verdicts may not."""
    return answer.outcome


async def play(
    history: Sequence[LedgerCommand], sizes: Sequence[int]
) -> tuple[LedgerBench, list[LedgerAnswer]]:
    """Post a history cut into batches of these sizes, over and over."""
    bench = LedgerBench(the_accounts(), now_ms=NOON_MS)
    answers: list[LedgerAnswer] = []
    rest, turn = list(history), 0
    while rest:
        size = sizes[turn % len(sizes)]
        answers += await bench.post(*rest[:size])
        rest, turn = rest[size:], turn + 1
    return bench, answers


def balances(bench: LedgerBench) -> dict[tuple[int, int], int]:
    """Every purse's balance."""
    return {(wallet, purse): bench.balance(wallet, purse) for wallet in WALLETS for purse in (0, 1)}


class TestHistories:
    @given(histories)
    @settings(max_examples=150, deadline=None)
    async def test_conserve_money(self, history: list[LedgerCommand]) -> None:
        """All rows together move nothing; no purse falls below its floor."""
        bench, _ = await play(history, [4])

        assert 0 == bench.total()
        assert all(balance >= 0 for balance in balances(bench).values())
        assert all(row.debit_after >= 0 for row in bench.books.rows if row.kind == 1)

    @given(histories)
    @settings(max_examples=100, deadline=None)
    async def test_give_back_at_most_what_was_paid(self, history: list[LedgerCommand]) -> None:
        """For one original, purse by purse."""
        bench, _ = await play(history, [3])
        paid: dict[tuple[bytes, int], int] = {}
        for row in bench.books.rows:
            if row.kind == TransferKind.PURCHASE and row.debit_seq:
                paid[row.key, row.debit] = paid.get((row.key, row.debit), 0) + row.amount
        for row in bench.books.rows:
            if row.kind == TransferKind.REVERSAL:
                paid[row.key, row.credit] -= row.amount

        assert all(rest >= 0 for rest in paid.values())

    @given(histories, cuts, cuts)
    @settings(max_examples=100, deadline=None)
    async def test_do_not_depend_on_the_cut_into_batches(
        self, history: list[LedgerCommand], some: list[int], other: list[int]
    ) -> None:
        """Other batches, the same verdicts and balances."""
        first, said_first = await play(history, some)
        second, said_second = await play(history, other)

        assert list(map(verdict, said_first)) == list(map(verdict, said_second))
        assert balances(first) == balances(second)

    @given(histories, cuts)
    @settings(max_examples=100, deadline=None)
    async def test_are_replayed_without_effect(
        self, history: list[LedgerCommand], sizes: list[int]
    ) -> None:
        """The whole log again, by another owner: no new row, no money moved."""
        bench, _ = await play(history, sizes)
        before, rows = balances(bench), len(bench.books.rows)
        accounts = {
            purse_account(*who): bench.tenure.book.account(purse_account(*who)) for who in before
        }
        bench.take_over({number: a for number, a in accounts.items() if a}, epoch=2)
        for command in history:
            if command.WhichOneof("body") == "purchase":
                await bench.post(command)

        purchases = {c.reference.key for c in history if c.WhichOneof("body") == "purchase"}
        fresh = bench.books.rows[rows:]
        assert [] == [row for row in fresh if row.key in purchases and row.debit_seq]
        assert before == balances(bench)

    @given(histories, st.randoms(use_true_random=False))
    @settings(max_examples=100, deadline=None)
    async def test_do_not_depend_on_the_order_between_wallets(
        self, history: list[LedgerCommand], shuffle: Random
    ) -> None:
        """Within a wallet the order stays; between wallets any will do."""
        queues = {w: [c for c in history if c.wallet == w] for w in WALLETS}
        order = [c.wallet for c in history]
        shuffle.shuffle(order)
        woven = [queues[wallet].pop(0) for wallet in order]

        first, said_first = await play(history, [4])
        second, said_second = await play(woven, [4])

        def by_wallet(asked: Sequence[LedgerCommand], said: Sequence[LedgerAnswer]) -> object:
            return {
                w: [a.outcome for c, a in zip(asked, said, strict=True) if c.wallet == w]
                for w in WALLETS
            }

        assert by_wallet(history, said_first) == by_wallet(woven, said_second)
        assert balances(first) == balances(second)
