"""Commands about cards: each once, in order with purchases, and cached cards never outlive one."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from libs.bus import Outgoing, Record
from libs.contracts.accounts import owner_of, purse_account
from libs.contracts.envelope import read_envelope
from libs.contracts.keys import request_partition, wallet_partition
from libs.contracts.lesko.v1.authorization_pb2 import AuthorizeRequested
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand
from libs.contracts.lesko.v1.card_pb2 import (
    CARD_STATUS_ACTIVE,
    CARD_STATUS_BLOCKED,
    CARD_STATUS_UNSPECIFIED,
    CardAnswer,
    CardCommand,
    CardResult,
    ImportCards,
    NewCard,
    SetCardStatus,
    ShowCard,
)
from libs.contracts.lesko.v1.card_pb2 import (
    CardStatus as WireStatus,
)
from libs.contracts.topics import ADMIN_ANSWERS, CARD_ANSWER, COMMANDS
from libs.fakes.cards import (
    A_TOKEN,
    MemoryCardDesk,
    MemoryCards,
    a_card,
    a_card_command,
    a_found_card,
    a_request,
    a_request_record,
)
from libs.fakes.clock import FixedClock
from libs.pg import CommitUnknown
from services.authorization.domain.card import Card, CardStatus
from services.authorization.domain.card_cache import CardCache
from services.authorization.handlers.card_records import CardCommandBroken
from services.authorization.handlers.command_cards import CommandCards
from services.authorization.handlers.serve_requests import ServeRequests
from services.authorization.handlers.set_aside import SetAside
from services.authorization.handlers.warm_cards import warm_cards

PARTITIONS = 8
HOME = request_partition(A_TOKEN, PARTITIONS)


class Bench:
    """The handler with one card."""

    def __init__(self, status: CardStatus = CardStatus.ACTIVE) -> None:
        self.desk = MemoryCardDesk([a_found_card(status)])
        self.cache = CardCache(100)
        self.handler = CommandCards(
            self.desk,
            self.cache,
            FixedClock(),
            request_partitions=PARTITIONS,
            ledger_partitions=PARTITIONS,
        )

    async def answer(self, command: CardCommand) -> CardAnswer:
        """Carry a command out."""
        *_, sent = await self.handler(a_card_command(command, partition=HOME))
        assert (ADMIN_ANSWERS, 2, command.command_id) == (sent.topic, sent.partition, sent.key)
        envelope = read_envelope(sent.envelope)
        assert (CARD_ANSWER, command.command_id) == (envelope.schema, envelope.correlation_id)
        return CardAnswer.FromString(sent.value)


def a_change(
    number: int,
    status: WireStatus = CARD_STATUS_BLOCKED,
    *out_of: WireStatus,
    token: bytes = A_TOKEN,
) -> CardCommand:
    """A command that changes a status; from active unless the test says otherwise."""
    change = SetCardStatus(token=token, status=status)
    getattr(change, "from").extend(out_of or (CARD_STATUS_ACTIVE,))
    return CardCommand(command_id=number.to_bytes(16, "big"), set_status=change)


def an_import(number: int, count: int) -> CardCommand:
    """A command that makes cards, all of partition HOME."""
    cards = [
        NewCard(
            token=A_TOKEN[:2] + n.to_bytes(14, "big"),
            sealed_pan=b"sealed",
            masked="936009******0024",
            product="standard",
            expiry="3012",
            ceiling_minor=500 + n,
        )
        for n in range(1, count + 1)
    ]
    return CardCommand(command_id=number.to_bytes(16, "big"), import_cards=ImportCards(cards=cards))


class TestSetStatus:
    async def test_changes_and_tells_what_the_card_is_now(self) -> None:
        """Out of one of the named states into the wanted one."""
        bench = Bench()

        answer = await bench.answer(a_change(1))

        assert (CardResult.CARD_RESULT_DONE, CARD_STATUS_BLOCKED, A_TOKEN, 7) == (
            answer.result,
            answer.card.status,
            answer.card.token,
            answer.card.wallet,
        )
        assert CardStatus.BLOCKED is bench.desk.cards[A_TOKEN].status

    @pytest.mark.parametrize("status", [s for s in CardStatus if s not in (1, 2)])
    async def test_refuses_any_other_state(self, status: CardStatus) -> None:
        """Nothing is changed, and the answer says in which state the card is."""
        bench = Bench(status)

        answer = await bench.answer(a_change(1))

        assert (CardResult.CARD_RESULT_WRONG_STATUS, status + 1) == (
            answer.result,
            answer.card.status,
        )
        assert (0, status) == (bench.desk.changes, bench.desk.cards[A_TOKEN].status)

    async def test_is_done_where_it_is_already_so(self) -> None:
        """In the wanted state it is a repeat."""
        bench = Bench(CardStatus.BLOCKED)

        answer = await bench.answer(a_change(1))

        assert (CardResult.CARD_RESULT_DONE, 0) == (answer.result, bench.desk.changes)

    async def test_of_an_unknown_card_says_so(self) -> None:
        """Without a card in the answer; also to whoever only asks."""
        other = A_TOKEN[:2] + bytes(14)
        for command in (
            a_change(1, token=other),
            CardCommand(command_id=bytes(16), show=ShowCard(token=other)),
        ):
            answer = await Bench().answer(command)

            assert CardResult.CARD_RESULT_UNKNOWN_CARD == answer.result
            assert not answer.HasField("card")

    async def test_is_done_once_whatever_comes_between(self) -> None:
        """A duplicate behind a later change hears the first answer and changes nothing."""
        bench = Bench()
        first = await bench.answer(a_change(1))
        await bench.answer(a_change(2, CARD_STATUS_ACTIVE, CARD_STATUS_BLOCKED))

        assert first == await bench.answer(a_change(1))
        assert CardStatus.ACTIVE is bench.desk.cards[A_TOKEN].status
        assert 2 == bench.desk.changes

    @pytest.mark.parametrize("is_committed", [False, True])
    async def test_survives_a_lost_commit(self, *, is_committed: bool) -> None:
        """Killed before or after the commit: the same record again, one change, one answer."""
        bench = Bench()
        bench.desk.is_committed = is_committed
        bench.desk.trouble = CommitUnknown("lost")
        bench.cache.add(HOME, {A_TOKEN: a_card()})
        with pytest.raises(CommitUnknown):
            await bench.answer(a_change(1))

        assert bench.cache.find(HOME, A_TOKEN) is None
        assert CARD_STATUS_BLOCKED == (await bench.answer(a_change(1))).card.status
        assert 1 == bench.desk.changes

    async def test_drops_the_card_that_is_kept(self) -> None:
        """From here on the rules look at the changed one."""
        bench = Bench()
        bench.cache.add(HOME, {A_TOKEN: a_card()})
        await bench.answer(a_change(1))

        assert bench.cache.find(HOME, A_TOKEN) is None


class TestImport:
    async def test_makes_inactive_cards_and_opens_their_purses(self) -> None:
        """Each with a wallet of its own, opened on its partition before the answer."""
        bench = Bench()
        record = a_card_command(an_import(1, 20), partition=HOME)

        *openings, last = await bench.handler(record)

        answer = CardAnswer.FromString(last.value)
        assert (20, 0) == (answer.created, answer.known)
        new = {token: card for token, card in bench.desk.cards.items() if token != A_TOKEN}
        assert {CardStatus.INACTIVE} == {card.status for card in new.values()}
        opened = {}
        for sent in openings:
            assert (COMMANDS, "") == (sent.topic, read_envelope(sent.envelope).answer_topic)
            command = LedgerCommand.FromString(sent.value)
            for terms in command.open_accounts.accounts:
                wallet = owner_of(terms.number)
                assert sent.partition == wallet_partition(wallet, PARTITIONS)
                opened[terms.number] = terms.ceiling_minor
        assert {purse_account(card.wallet) for card in new.values()} == opened.keys()
        assert set(range(501, 521)) == set(opened.values())
        assert set(range(PARTITIONS)) == {sent.partition for sent in openings}

    async def test_sends_the_same_again(self) -> None:
        """A redelivery makes nothing and sends all of it, byte for byte."""
        bench = Bench()
        record = a_card_command(an_import(1, 20), partition=HOME)
        first = await bench.handler(record)

        assert first == await bench.handler(record)
        assert 21 == len(bench.desk.cards)

    async def test_leaves_known_cards_as_they_are(self) -> None:
        """Another import of the same cards, some of which were changed meanwhile."""
        bench = Bench()
        await bench.answer(an_import(1, 3))
        before = dict(bench.desk.cards)

        answer = await bench.answer(an_import(2, 5))

        assert (2, 3) == (answer.created, answer.known)
        assert before.items() <= bench.desk.cards.items()


class TestBroken:
    @pytest.mark.parametrize(
        "value",
        [
            b"\xff",
            CardCommand(command_id=bytes(16)).SerializeToString(),
            CardCommand(command_id=b"short", show=ShowCard(token=A_TOKEN)).SerializeToString(),
            CardCommand(command_id=bytes(16), show=ShowCard(token=b"x")).SerializeToString(),
            a_change(1, CARD_STATUS_UNSPECIFIED).SerializeToString(),
            an_import(1, 0).SerializeToString(),
            a_change(1, token=b"\x00\x00" + bytes(14)).SerializeToString(),
        ],
    )
    async def test_is_set_aside_and_its_asker_hears(self, value: bytes) -> None:
        """Else it would be sent again for ever."""
        record = a_card_command(value, partition=HOME)
        with pytest.raises(CardCommandBroken):
            await Bench().handler(record)

        async def dead(at: Record, fault: str) -> Sequence[Outgoing]:
            return [Outgoing("dead", at.partition, at.key, fault.encode(), b"")]

        letter, told = await SetAside(dead)(record, "CardCommandBroken")
        assert ("dead", ADMIN_ANSWERS) == (letter.topic, told.topic)
        assert 0 == CardAnswer.FromString(told.value).result


class TestOrder:
    async def test_of_requests_and_commands_is_kept(self) -> None:
        """What stands behind a command is served after it, partition by partition."""
        served: list[object] = []

        async def authorize(batch: Mapping[int, Sequence[Record]]) -> list[Outgoing]:
            served.append({p: [record.offset for record in some] for p, some in batch.items()})
            return []

        async def command(record: Record) -> list[Outgoing]:
            served.append(record.offset)
            return []

        request, change = a_request(), a_change(1)
        kinds: list[AuthorizeRequested | CardCommand] = [request, change, request, request, change]
        mixed = [
            a_card_command(one, partition=3, offset=n)
            if isinstance(one, CardCommand)
            else a_request_record(one, partition=3, offset=n)
            for n, one in enumerate(kinds)
        ]
        plain = [a_request_record(request, partition=1, offset=7)]
        await ServeRequests(authorize, command)({3: mixed, 1: plain})

        assert [{1: [7]}, {3: [0]}, 1, {3: [2, 3]}, 4] == served


class ChangingCards(MemoryCards):
    """While it reads, somebody changes a card."""

    def __init__(self, cards: Mapping[bytes, Card], cache: CardCache) -> None:
        super().__init__(cards)
        self._cache = cache

    async def read_cards_after(self, card_id: int, cards_max: int) -> Mapping[bytes, Card]:
        """Return what was there when it began."""
        found = await super().read_cards_after(card_id, cards_max)
        if self.cards[A_TOKEN].status is CardStatus.ACTIVE:
            self.cards[A_TOKEN] = a_card(status=CardStatus.BLOCKED)
            self._cache.drop(HOME, A_TOKEN)
        await asyncio.sleep(0)
        return found


async def test_warming_never_brings_back_a_card_that_was_changed() -> None:
    """Read before the change and kept after it: it would buy until the next assignment."""
    cache = CardCache(100)
    cards = ChangingCards({A_TOKEN: a_card()}, cache)

    await warm_cards(
        cards, cache, held={HOME}, partitions=PARTITIONS, cards_max=10, stopped=lambda _: None
    )

    found = cache.find(HOME, A_TOKEN)
    assert found is None or found.status is CardStatus.BLOCKED
