"""The batch shell: one command for every request, whatever a rule says of it."""

from zoneinfo import ZoneInfo

import pytest

from libs.bus import Outgoing
from libs.contracts.accounts import outlet_account, purse_account
from libs.contracts.envelope import read_envelope
from libs.contracts.lesko.v1.authorization_pb2 import (
    OPERATION_INQUIRY,
    OPERATION_PURCHASE,
    OPERATION_REVERSAL,
    OPERATION_UNSPECIFIED,
    AuthorizeRequested,
    Operation,
)
from libs.contracts.lesko.v1.card_ledger_pb2 import DebitLine, LedgerCommand, Limits
from libs.contracts.topics import COMMANDS, LEDGER_COMMAND
from libs.fakes.cards import (
    A_DAY,
    A_KEY,
    A_MOMENT_MS,
    A_TOKEN,
    MemoryCards,
    a_card,
    a_purse,
    a_request,
    a_request_record,
)
from libs.fakes.clock import FixedClock
from libs.fakes.registry import a_product, a_programme, a_terminal, an_outlet
from libs.outcome import Outcome
from libs.registry import EntityStatus, Entry, RegistryView, write_change
from services.authorization.domain.card import Card, CardStatus
from services.authorization.domain.card_cache import CardCache
from services.authorization.domain.day import BusinessDays
from services.authorization.domain.debit import GoodsBroken
from services.authorization.handlers.authorize_requests import AuthorizeRequests, RegistryBehind
from services.authorization.handlers.records import RequestBroken

PARTITIONS = 8
OWN = purse_account(7)
LAST_MS_OF_DAY = A_DAY * 86_400_000 + 15 * 3_600_000 - 1  # 23:59:59.999 in Jayapura.


class Bench:
    """The handler with cards in memory and a registry that a test may add to."""

    def __init__(self, card: Card | None = None) -> None:
        self.clock = FixedClock(A_MOMENT_MS)
        self.cards = MemoryCards({A_TOKEN: card} if card else {})
        self.view = RegistryView()
        self.view.show_current(self.clock.monotonic_ms())
        self._version = 0
        self.put(an_outlet(1), an_outlet(2), a_terminal(1), a_terminal(2), a_programme(1))
        self.put(a_product(purchase_max_minor=100_000_00, day_amount_minor=9, day_count=3))
        self.handler = AuthorizeRequests(
            cards=self.cards,
            cache=CardCache(100),
            registry=self.view,
            clock=self.clock,
            days=BusinessDays(ZoneInfo("Asia/Jayapura")),
            ledger_partitions=PARTITIONS,
        )

    def put(self, *entries: Entry) -> None:
        """Publish entries."""
        for entry in entries:
            self._version += 1
            self.view.apply(write_change(entry, version=self._version, changed_ms=0))

    async def send(self, *requests: AuthorizeRequested) -> list[Outgoing]:
        """Handle one batch of requests from partition 0."""
        return await self.handler({0: [a_request_record(request) for request in requests]})

    async def command(self, request: AuthorizeRequested) -> LedgerCommand:
        """Handle one request."""
        [sent] = await self.send(request)
        return LedgerCommand.FromString(sent.value)


class TestPurchase:
    async def test_becomes_a_debit(self) -> None:
        """An allowed purchase goes on with its reference, lines, limits and the outlet's shard."""
        request = a_request()

        command = await Bench(a_card()).command(request)

        assert request.reference == command.reference
        assert (7, 1_007, [OWN], 0, 0) == (
            command.wallet,
            command.card,
            list(command.accounts),
            command.verdict,
            command.refuse_new,
        )
        body = command.purchase
        assert [DebitLine(amount_minor=50_000_00, purses=[OWN])] == list(body.lines)
        assert outlet_account(1, 7 % PARTITIONS) == body.credit
        assert Limits(day_amount_minor=9, day_count=3) == body.limits

    async def test_lets_the_restricted_purse_pay_first(self) -> None:
        """A purse whose programme allows outlet and goods stands before the own one."""
        purse = a_purse()

        command = await Bench(a_card(purses=[purse])).command(a_request(goods=[(5, 20_000_00)]))

        assert [
            DebitLine(goods_class=5, amount_minor=20_000_00, purses=[purse.account, OWN]),
            DebitLine(goods_class=0, amount_minor=30_000_00, purses=[purse.account, OWN]),
        ] == list(command.purchase.lines)
        assert [OWN, purse.account] == list(command.accounts)

    async def test_shows_a_purse_that_may_not_pay_here(self) -> None:
        """A purse of another programme pays nothing at this outlet, but its balance is shown."""
        purse = a_purse()
        bench = Bench(a_card(purses=[purse]))
        bench.put(a_programme(1, outlet_groups=("odd",)))

        command = await bench.command(a_request())

        assert [OWN] == list(command.purchase.lines[0].purses)
        assert [OWN, purse.account] == list(command.accounts)

    @pytest.mark.parametrize(("late_ms", "shown"), [(0, 2), (1, 1)])
    async def test_leaves_out_a_purse_the_day_after(self, late_ms: int, shown: int) -> None:
        """A purse is valid to the end of its last day in the business zone."""
        bench = Bench(a_card(purses=[a_purse(valid_until=A_DAY)]))

        command = await bench.command(a_request(received_ms=LAST_MS_OF_DAY + late_ms))

        assert (shown, shown) == (len(command.accounts), len(command.purchase.lines[0].purses))

    async def test_uses_the_product_in_force_on_the_day(self) -> None:
        """New limits hold from midnight of their day in the business zone."""
        bench = Bench(a_card())
        bench.put(a_product(in_force_from=A_DAY + 1, day_count=99))

        before = await bench.command(a_request(received_ms=LAST_MS_OF_DAY))
        after = await bench.command(a_request(received_ms=LAST_MS_OF_DAY + 1))

        assert (3, 99) == (before.purchase.limits.day_count, after.purchase.limits.day_count)

    async def test_goes_on_with_its_verdict(self) -> None:
        """A refused purchase is forwarded too, with wallet and accounts: a repeat must hear it."""
        command = await Bench(a_card(status=CardStatus.LOST)).command(a_request())

        assert (Outcome.CARD_LOST.number, 7, [OWN], "purchase", []) == (
            command.verdict,
            command.wallet,
            list(command.accounts),
            command.WhichOneof("body"),
            list(command.purchase.lines),
        )

    async def test_of_an_unknown_card_goes_to_the_partition_of_its_key(self) -> None:
        """Without a wallet the key says where the refusal is stored."""
        [sent] = await Bench().send(a_request())
        command = LedgerCommand.FromString(sent.value)

        assert (int.from_bytes(A_KEY[2:6], "big") % PARTITIONS, A_KEY) == (
            sent.partition,
            sent.key,
        )
        assert (Outcome.CARD_UNKNOWN.number, 0, 0, []) == (
            command.verdict,
            command.wallet,
            command.card,
            list(command.accounts),
        )

    async def test_passes_on_what_the_edge_says_of_a_new_key(self) -> None:
        """A date outside the window stays the ledger's to refuse, with all that a debit needs."""
        command = await Bench(a_card()).command(
            a_request(refuse_new=Outcome.DATE_OUT_OF_WINDOW.number)
        )

        assert Outcome.DATE_OUT_OF_WINDOW.number == command.refuse_new
        assert 1 == len(command.purchase.lines)

    async def test_passes_on_the_repeat_bit(self) -> None:
        """The ledger looks such a key up first."""
        request = a_request()
        request.is_repeat = True

        assert (await Bench(a_card()).command(request)).is_repeat


class TestStaleRegistry:
    async def test_takes_no_new_money(self) -> None:
        """Five seconds without a sign of the registry's end, and no hope: stored as 96."""
        bench = Bench(a_card())
        bench.clock.advance(5_001)
        with pytest.raises(RegistryBehind):
            await bench.command(a_request())
        bench.clock.advance(3_000)

        command = await bench.command(a_request())

        assert (Outcome.COULD_NOT_PROCESS.number, 0) == (command.verdict, command.refuse_new)

    async def test_waits_while_it_is_read_again(self) -> None:
        """After an outage a purchase is not refused for the second that reading takes."""
        bench = Bench(a_card())
        bench.clock.advance(20_000)
        with pytest.raises(RegistryBehind):
            await bench.command(a_request())
        bench.clock.advance(2_999)
        with pytest.raises(RegistryBehind):
            await bench.command(a_request())
        bench.view.show_current(bench.clock.monotonic_ms())

        assert 0 == (await bench.command(a_request())).verdict

    async def test_waits_anew_at_each_outage(self) -> None:
        """The patience of one outage is not what the last one left over."""
        bench = Bench(a_card())
        bench.clock.advance(10_000)
        with pytest.raises(RegistryBehind):
            await bench.command(a_request())
        bench.view.show_current(bench.clock.monotonic_ms())
        await bench.command(a_request())
        bench.clock.advance(10_000)

        with pytest.raises(RegistryBehind):
            await bench.command(a_request())

    async def test_does_not_wait_twice(self) -> None:
        """Once the registry has been away for long, each purchase hears so at once."""
        bench = Bench(a_card())
        bench.clock.advance(5_001)
        with pytest.raises(RegistryBehind):
            await bench.command(a_request())
        bench.clock.advance(60_000)

        first, second = [await bench.command(a_request()) for _ in range(2)]

        assert Outcome.COULD_NOT_PROCESS.number == first.verdict == second.verdict

    async def test_is_a_fault_that_passes(self) -> None:
        """The loop brings the batch again; it is never halved for this."""
        assert RegistryBehind.retriable

    async def test_takes_money_up_to_the_limit(self) -> None:
        """Five seconds are still good."""
        bench = Bench(a_card())
        bench.clock.advance(5_000)

        assert 0 == (await bench.command(a_request())).verdict

    @pytest.mark.parametrize("operation", [OPERATION_INQUIRY, OPERATION_REVERSAL])
    async def test_stops_nothing_else(self, operation: Operation) -> None:
        """Inquiries and reversals go on as ever."""
        bench = Bench(a_card())
        bench.clock.advance(60_000)

        assert 0 == (await bench.command(a_request(operation))).verdict


class TestReversal:
    @pytest.mark.parametrize("status", list(CardStatus))
    async def test_works_whatever_the_card_is(self, status: CardStatus) -> None:
        """No state of a card stops what goes back."""
        purse = a_purse()
        bench = Bench(a_card(status=status, purses=[purse], expiry="2001"))

        command = await bench.command(a_request(OPERATION_REVERSAL))

        assert ("reversal", 0, 7, [OWN, purse.account]) == (
            command.WhichOneof("body"),
            command.verdict,
            command.wallet,
            list(command.accounts),
        )

    async def test_works_whatever_terminal_and_outlet_are(self) -> None:
        """A closed terminal, a closed outlet, another listener: it goes on."""
        bench = Bench(a_card())
        closed = EntityStatus.CLOSED
        bench.put(a_terminal(status=closed), an_outlet(status=closed), a_product(status=closed))

        command = await bench.command(a_request(OPERATION_REVERSAL, listener="other"))

        assert ("reversal", 0) == (command.WhichOneof("body"), command.verdict)

    async def test_of_an_unknown_card_goes_on_too(self) -> None:
        """It becomes a tombstone in the partition of its key."""
        [sent] = await Bench().send(a_request(OPERATION_REVERSAL))
        command = LedgerCommand.FromString(sent.value)

        assert ("reversal", 0, 0) == (command.WhichOneof("body"), command.verdict, command.wallet)
        assert int.from_bytes(A_KEY[2:6], "big") % PARTITIONS == sent.partition


class TestInquiry:
    async def test_asks_for_every_valid_purse(self) -> None:
        """An inquiry needs no key and no amount."""
        purse = a_purse()

        command = await Bench(a_card(purses=[purse])).command(
            a_request(OPERATION_INQUIRY, key=b"", amount=0)
        )

        assert ("inquiry", 0, [OWN, purse.account]) == (
            command.WhichOneof("body"),
            command.verdict,
            list(command.accounts),
        )

    async def test_hears_a_refusal(self) -> None:
        """A blocked card has no balance to tell."""
        command = await Bench(a_card(status=CardStatus.BLOCKED)).command(
            a_request(OPERATION_INQUIRY, key=b"")
        )

        assert ("inquiry", Outcome.CARD_BLOCKED.number) == (
            command.WhichOneof("body"),
            command.verdict,
        )

    async def test_of_an_unknown_card_goes_to_the_partition_of_its_token(self) -> None:
        """It has no key, and still somebody must answer."""
        [sent] = await Bench().send(a_request(OPERATION_INQUIRY, key=b""))

        assert int.from_bytes(A_TOKEN[:4], "big") % PARTITIONS == sent.partition


class TestRouting:
    async def test_names_topic_partition_and_who_waits(self) -> None:
        """The command goes to the wallet's partition; correlation, answer and deadline stay."""
        record = a_request_record(a_request())

        [sent] = await Bench(a_card()).handler({0: [record]})

        cause, envelope = read_envelope(record.envelope), read_envelope(sent.envelope)
        assert (COMMANDS, 7 % PARTITIONS, (7).to_bytes(8, "big")) == sent[:3]
        assert cause.message_id == envelope.causation_id
        assert cause.message_id != envelope.message_id
        assert LEDGER_COMMAND == envelope.schema
        for kept in ("correlation_id", "answer_topic", "answer_partition", "deadline_ms"):
            assert getattr(cause, kept) == getattr(envelope, kept)


class TestBatch:
    async def test_reads_all_unknown_tokens_at_once(self) -> None:
        """One read for a batch, each token once; the next batch needs none."""
        other = bytes(16)
        bench = Bench(a_card())
        bench.cards.cards[other] = a_card(wallet=8)
        batch = [a_request(), a_request(token=other), a_request()]

        first = await bench.send(*batch)
        second = await bench.send(*batch)

        assert [7, 8, 7] == [LedgerCommand.FromString(sent.value).wallet for sent in first]
        assert [sent.value for sent in first] == [sent.value for sent in second]
        assert [{A_TOKEN, other}] == [set(tokens) for tokens in bench.cards.reads]
        assert 2 == len(bench.cards.reads[0])

    async def test_does_not_remember_that_a_card_was_unknown(self) -> None:
        """A card that was issued a moment ago can buy at once."""
        bench = Bench()
        await bench.send(a_request())
        bench.cards.cards[A_TOKEN] = a_card()

        assert 0 == (await bench.command(a_request())).verdict

    async def test_keeps_the_order_of_partitions(self) -> None:
        """All partitions of a batch are handled, each in its order."""
        bench = Bench(a_card())
        amounts = {0: (1, 2), 3: (3, 4, 5)}
        batch = {
            partition: [
                a_request_record(a_request(amount=amount), partition=partition)
                for amount in amounts_of_one
            ]
            for partition, amounts_of_one in amounts.items()
        }

        sent = await bench.handler(batch)

        assert [1, 2, 3, 4, 5] == [
            LedgerCommand.FromString(one.value).reference.amount_minor for one in sent
        ]

    @pytest.mark.parametrize(("forgotten", "reads"), [(3, 2), (0, 1)])
    async def test_reads_cards_anew_after_their_partition_was_assigned(
        self, forgotten: int, reads: int
    ) -> None:
        """Another process may have changed the cards of a partition that comes, and only those."""
        bench = Bench(a_card())
        batch = {3: [a_request_record(a_request(), partition=3)]}
        await bench.handler(batch)

        bench.handler.forget_cards([forgotten])
        await bench.handler(batch)

        assert reads == len(bench.cards.reads)


class TestBroken:
    @pytest.mark.parametrize(
        "value",
        [
            b"\xff\xff\xff",
            b"",
            a_request(OPERATION_PURCHASE, token=b"short").SerializeToString(),
            a_request(OPERATION_PURCHASE, key=b"short").SerializeToString(),
            a_request(OPERATION_REVERSAL, key=b"").SerializeToString(),
            a_request(OPERATION_PURCHASE, amount=0).SerializeToString(),
            a_request(OPERATION_PURCHASE, amount=-1).SerializeToString(),
            a_request(OPERATION_UNSPECIFIED).SerializeToString(),
        ],
    )
    async def test_raises_for_a_record_that_is_no_request(self, value: bytes) -> None:
        """The loop then halves the batch and sets this record aside."""
        with pytest.raises(RequestBroken):
            await Bench(a_card()).handler({0: [a_request_record(value)]})

    async def test_raises_for_goods_above_the_amount(self) -> None:
        """An edge would have refused it: nothing of it may reach the books."""
        with pytest.raises(GoodsBroken):
            await Bench(a_card()).send(a_request(amount=10, goods=[(5, 11)]))
