"""Counting dead records, and dead letters of records that cannot be read at all."""

import pytest

from libs.bus import Record, TooManyDead, dead_letters
from libs.bus.dead_letters import DeadCount
from libs.contracts.envelope import read_envelope
from libs.contracts.lesko.v1.dead_pb2 import DeadRecord
from libs.fakes.clock import FixedClock


class TestDeadCount:
    def test_allows_as_many_in_a_row_as_it_says(self) -> None:
        """The record after the last allowed one stops the loop."""
        count = DeadCount(in_a_row_max=2, window=100, in_window_max=50)
        count.died()
        count.died()

        with pytest.raises(TooManyDead, match="3 records in a row"):
            count.died()

    def test_starts_a_new_row_after_a_good_record(self) -> None:
        """Single bad records between good ones make no row."""
        count = DeadCount(in_a_row_max=1, window=1_000, in_window_max=50)

        for _ in range(50):
            count.died()
            count.settled(1)

        with pytest.raises(TooManyDead, match="51 of 1000"):
            count.died()

    def test_forgets_a_window_that_is_over(self) -> None:
        """Bad records spread over many good ones never stop the loop."""
        count = DeadCount(in_a_row_max=1, window=100, in_window_max=2)

        stopped_at = None
        for round_ in range(50):
            try:
                count.died()
            except TooManyDead:
                stopped_at = round_
            count.settled(99)

        assert stopped_at is None


async def test_buries_a_record_whose_envelope_cannot_be_read() -> None:
    """A broken header is kept as it was, and the letter gets a sound one of its own."""
    record = Record("a.b.v1", 3, 7, b"k", b"v", b"\xff\xff", 0)

    (letter,) = await dead_letters(FixedClock(now_ms=55))(record, "DecodeError")

    assert ("a.b.v1.dead.v1", 3, b"k") == letter[:3]
    dead = DeadRecord.FromString(letter.value)
    assert (b"\xff\xff", "DecodeError", 55) == (dead.envelope, dead.fault, dead.at_ms)
    assert 16 == len(read_envelope(letter.envelope).correlation_id)
