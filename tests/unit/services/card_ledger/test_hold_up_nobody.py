"""One odd command or one odd asker must not keep the others waiting."""

from collections.abc import Sequence

import pytest

from libs.bus import BusUnavailable, Outgoing, Record, TopicUnknown
from libs.contracts import topics
from libs.contracts.accounts import purse_account
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand, Resend
from libs.fakes.ledger import LedgerBench, a_purchase, a_reference, an_account
from libs.outcome import Outcome
from services.card_ledger.adapters.answer_publisher import AnswerPublisher
from services.card_ledger.handlers import post_transfers, resend_entries
from services.card_ledger.handlers.post_transfers import BatchTooLarge
from services.card_ledger.handlers.records import CommandBroken
from services.card_ledger.handlers.set_aside import SetAside

NOON_MS = 1_795_489_200_000
WALLET = 1


@pytest.fixture
def bench() -> LedgerBench:
    """Give a ledger with one wallet."""
    return LedgerBench({purse_account(WALLET): an_account()}, now_ms=NOON_MS)


def a_resend(first: int, last: int) -> LedgerCommand:
    """Ask for a range of batches."""
    return LedgerCommand(wallet=WALLET, resend=Resend(first_batch_no=first, last_batch_no=last))


class PickyBus:
    """Takes records for partitions that exist."""

    def __init__(self, partitions: int = 1, *, away: bool = False) -> None:
        self.taken: list[Outgoing] = []
        self._partitions = partitions
        self._away = away

    async def publish(self, records: Sequence[Outgoing], *, timeout_ms: int) -> None:
        """Take all or nothing, as a bus does."""
        assert timeout_ms > 0
        if self._away:
            raise BusUnavailable("away")
        for record in records:
            if record.partition >= self._partitions:
                raise TopicUnknown(record.topic, record.partition)
        self.taken.extend(records)


def a_record(topic: str, partition: int) -> Outgoing:
    """Return some record."""
    return Outgoing(topic, partition, b"", b"", b"")


class TestAnswerPublisher:
    async def test_drops_an_answer_that_has_no_place(self) -> None:
        """The others go out; the command is booked and its asker hears nothing."""
        bus = PickyBus()
        good, entries = a_record(topics.BRIDGE_ANSWERS, 0), a_record(topics.ENTRIES, 0)

        await AnswerPublisher(bus).publish(
            [a_record(topics.BRIDGE_ANSWERS, 7), good, a_record("other.v1", 9), entries],
            timeout_ms=1_000,
        )

        assert [good, entries] == bus.taken

    async def test_never_drops_entries(self) -> None:
        """Whoever reads entries counts batches: a missing place for them stays a fault."""
        with pytest.raises(TopicUnknown):
            await AnswerPublisher(PickyBus()).publish(
                [a_record(topics.ENTRIES, 3)], timeout_ms=1_000
            )

    async def test_passes_on_what_passes(self) -> None:
        """A bus that is away is the loop's business."""
        with pytest.raises(BusUnavailable):
            await AnswerPublisher(PickyBus(away=True)).publish(
                [a_record(topics.BRIDGE_ANSWERS, 0)], timeout_ms=1_000
            )


class TestSetAside:
    def broken(self) -> Record:
        """Return a record that is no command."""
        return Record(topics.COMMANDS, WALLET, 0, b"", b"\xff\xff", b"", NOON_MS)

    async def test_buries_what_is_no_command(self, bench: LedgerBench) -> None:
        """Nobody can be answered, so the partition does not stand still for it."""
        buried: list[str] = []

        async def dead_letters(record: Record, fault: str) -> Sequence[Outgoing]:
            buried.append(fault)
            return [a_record(topics.dead_letters(record.topic), record.partition)]

        aside = SetAside(bench.handler.refuse_poison, dead_letters)

        assert 1 == len(await aside(self.broken(), "DecodeError"))
        assert ["DecodeError"] == buried

    async def test_wants_a_key_for_what_is_stored(self, bench: LedgerBench) -> None:
        """A purchase without a key would be one row for all of them."""
        reference = a_reference()
        reference.key = b""

        with pytest.raises(CommandBroken):
            await bench.post(a_purchase(reference))

    async def test_stores_nothing_for_a_poisoned_wish(self, bench: LedgerBench) -> None:
        """A re-send that cannot be served has no key, so it leaves no row that collides later."""
        records, _ = bench.records([a_resend(1, 2)])
        ((record,),) = records.values()

        await bench.handler.refuse_poison(record, "Whatever")
        await bench.handler.refuse_poison(record, "Whatever")

        assert [] == bench.books.rows


class TestBounds:
    async def test_sends_a_bounded_stretch_again_however_many_ask(
        self, bench: LedgerBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ten who ask at once get together what one would get."""
        monkeypatch.setattr(resend_entries, "BATCHES_MAX", 3)
        for stan in range(1, 9):
            await bench.post(a_purchase(a_reference(stan=stan, amount=100)))
        before = len(bench.entries)

        await bench.post(*[a_resend(1, 1_000)] * 10)

        assert 1 + 3 == len(bench.entries) - before

    async def test_gives_a_batch_back_that_fits_no_record(
        self, bench: LedgerBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Before the commit, so that the loop halves it; afterwards entries would be missing."""
        monkeypatch.setattr(post_transfers, "ROWS_MAX", 3)
        many = [a_purchase(a_reference(stan=stan, amount=100)) for stan in range(1, 5)]

        with pytest.raises(BatchTooLarge):
            await bench.post(*many)
        answers = await bench.post(*many[:2])

        assert [Outcome.APPROVED.number] * 2 == [answer.outcome for answer in answers]
        assert [2] == [len(entries.transfers) for entries in bench.entries]
