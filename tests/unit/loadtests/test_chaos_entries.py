"""The checks of the entries topic see what is missing, what is too much and what differs."""

from libs.bus.port import Outgoing, Record
from libs.contracts import topics
from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerCommand, LedgerEntries
from loadtests.chaos_entries import Entries, ranges, resend


def a_hash(number: int) -> bytes:
    return bytes([number]) * 32


def a_record(number: int, *, partition: int = 0, told: int | None = None, mark: int = 0) -> Record:
    entries = LedgerEntries(
        partition=partition if told is None else told, batch_no=number, hash=a_hash(number + mark)
    )
    return Record(topics.ENTRIES, partition, number, b"", entries.SerializeToString(), b"", 0)


def stored(*numbers: int, partition: int = 0) -> dict[tuple[int, int], bytes]:
    return {(partition, number): a_hash(number) for number in numbers}


def entries_of(*numbers: int) -> Entries:
    entries = Entries({0: 2, 1: 0})
    entries.take([a_record(number) for number in numbers])
    return entries


class TestMissing:
    def test_names_a_gap(self) -> None:
        """Batch 4 was committed and never sent."""
        assert [(0, 4)] == entries_of(3, 5).missing(stored(3, 4, 5))

    def test_names_what_is_missing_at_the_end(self) -> None:
        """No later batch shows that the last one was never sent; the tables do."""
        assert [(0, 5)] == entries_of(3, 4).missing(stored(3, 4, 5))

    def test_is_empty_when_batches_came_twice_and_out_of_order(self) -> None:
        """What was asked for comes after what is newer."""
        assert [] == entries_of(3, 5, 4, 5).missing(stored(3, 4, 5))


class TestJudge:
    def test_says_nothing_of_what_is_in_the_books(self) -> None:
        """The same batches with the same hashes."""
        entries = entries_of(3, 4)
        entries.judge(stored(3, 4))

        assert [] == entries.settle({0: 4})

    def test_sees_a_batch_that_was_sent_and_never_committed(self) -> None:
        """Published before the commit, and the commit did not come."""
        entries = entries_of(3, 4)
        entries.judge(stored(3))

        assert ["batch (0, 4) is on the topic and not in the books"] == entries.settle({0: 3})

    def test_sees_a_batch_with_another_hash(self) -> None:
        """A row was changed between table and topic."""
        entries = entries_of(3)
        entries.judge({(0, 3): a_hash(9)})

        assert ["batch (0, 3) is on the topic with another hash"] == entries.settle({0: 3})

    def test_sees_one_batch_with_two_contents(self) -> None:
        """Two owners sent the same number."""
        entries = entries_of(3)
        entries.take([a_record(3, mark=1)])

        assert ["batch (0, 3) was sent with two contents"] == entries.settle({})

    def test_sees_a_batch_in_a_foreign_partition(self) -> None:
        """A reader of one partition would miss it."""
        entries = entries_of()
        entries.take([a_record(1, partition=1, told=0)])

        assert ["batch (0, 1) stands in partition 1"] == entries.settle({})

    def test_tells_each_complaint_once(self) -> None:
        """The next round begins without it."""
        entries = entries_of(3, 4)
        entries.judge(stored(3))
        entries.settle({0: 4})
        entries.judge(stored(3))

        assert [] == entries.settle({0: 4})


class TestNewLog:
    def test_begins_where_its_first_batch_is(self) -> None:
        """What stood on the lost one counts no more."""
        entries = entries_of(3, 4)
        entries.log_began_anew()
        entries.take([a_record(6), a_record(7)])

        assert (6, 0) == (entries.begins_at(0), entries.begins_at(1))
        assert [(0, 3), (0, 4), (0, 5)] == entries.missing(stored(3, 4, 5, 6, 7))


class TestResend:
    def test_asks_for_neighbours_together(self) -> None:
        """One command for each stretch of a partition."""
        asked = ranges([(0, 3), (0, 4), (0, 6), (1, 7)])

        assert [(0, 3, 4), (0, 6, 6), (1, 7, 7)] == asked

    def test_asks_for_a_hundred_at_most(self) -> None:
        """The ledger sends no more for one command."""
        asked = ranges([(0, number) for number in range(1, 202)])

        assert [(0, 1, 100), (0, 101, 200), (0, 201, 201)] == asked

    def test_is_a_command_without_a_key(self) -> None:
        """Nothing is booked for it and nobody waits."""
        found: Outgoing = resend(3, 5, 9)
        command = LedgerCommand.FromString(found.value)

        assert (topics.COMMANDS, 3) == (found.topic, found.partition)
        assert (5, 9) == (command.resend.first_batch_no, command.resend.last_batch_no)
        assert not command.HasField("reference")
