"""The trail of published batches: what is missing, changed or loose is named."""

import pytest

from libs.contracts.lesko.v1.card_ledger_pb2 import LedgerEntries, Transfer
from loadtests.entries import Head, Trail

BEGINS = {0: Head(4, b"h4"), 1: Head(0, b"")}


def a_batch(
    no: int, *, partition: int = 0, after: bytes | None = None, own: bytes = b""
) -> LedgerEntries:
    return LedgerEntries(
        partition=partition,
        batch_no=no,
        previous_hash=f"h{no - 1}".encode() if after is None else after,
        hash=own or f"h{no}".encode(),
        transfers=[Transfer(id=no)],
    )


def a_trail(*batches: LedgerEntries) -> Trail:
    trail = Trail(begins=BEGINS)
    for batch in batches:
        trail.take(batch)
    return trail


class TestTrail:
    def test_is_clean_where_each_batch_follows(self) -> None:
        """Partitions are followed each for itself, a batch that came again is no gap."""
        trail = a_trail(
            a_batch(5), a_batch(1, partition=1, after=b"", own=b"x"), a_batch(6), a_batch(6)
        )
        ends = {0: Head(6, b"h6"), 1: Head(1, b"x")}

        trail.close(ends)

        assert trail.holds(ends)
        assert {
            "is_clean": True, "batches": 3, "transfers": 3, "repeats": 1, "contradictions": {},
        } == trail.figures()  # fmt: skip

    @pytest.mark.parametrize(
        ("batches", "found"),
        [
            ((a_batch(6),), {"batches are missing": 1}),
            ((a_batch(5), a_batch(9)), {"batches are missing": 3}),
            ((a_batch(5, after=b"other"),), {"a batch does not follow the one before": 1}),
            (
                (a_batch(5), a_batch(5, own=b"other")),
                {"a batch came again as another one": 1},
            ),
            ((a_batch(4),), {"a batch came again as another one": 1}),
        ],
    )
    def test_names_what_is_wrong(
        self, batches: tuple[LedgerEntries, ...], found: dict[str, int]
    ) -> None:
        """A gap counts the batches that are not there."""
        assert found == a_trail(*batches).contradictions

    @pytest.mark.parametrize("end", [Head(6, b"h6"), Head(5, b"other")])
    def test_must_end_where_the_books_do(self, end: Head) -> None:
        """One batch too few, or another last one, is noticed."""
        trail = a_trail(a_batch(5))

        trail.close({0: end})

        assert {"entries end elsewhere than the books": 1} == trail.contradictions

    def test_holds_nothing_that_has_not_come(self) -> None:
        """It is waited for until every partition is there."""
        assert not a_trail(a_batch(5)).holds({0: Head(5, b"h5"), 1: Head(1, b"x")})
