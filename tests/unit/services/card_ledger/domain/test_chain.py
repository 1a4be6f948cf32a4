"""The batch hash: every column of every row, the head, and the batch before."""

from typing import Any

import pytest

from services.card_ledger.domain.chain import GENESIS, BatchHead, chain_hash
from services.card_ledger.domain.transfer import Transfer

HEAD = BatchHead(1, 2, 3, 4, 5, 6, 7, 1, 8)
ROW = Transfer(
    id=1, key_day=2, key=b"k" * 16, leg=3, kind=4, outcome=5, debit=6, credit=7, amount=8,
    debit_after=9, credit_after=10, debit_seq=11, ref=12, booked_on=13, asked=14, wallet=15,
    card=16, card_token=b"t" * 16, processing_code=17, goods_class=18, outlet="O", terminal="T",
    stan=19, rrn_sent="R", flags=20,
)  # fmt: skip


def other(value: Any) -> Any:
    """Return another value of the same type."""
    return value + 1 if isinstance(value, int) else value + value[:1]


class TestChainHash:
    @pytest.mark.parametrize("column", Transfer._fields)
    def test_covers_each_column(self, column: str) -> None:
        """An edited column gives another hash."""
        edited = ROW._replace(**{column: other(getattr(ROW, column))})

        assert chain_hash(GENESIS, HEAD, [ROW]) != chain_hash(GENESIS, HEAD, [edited])

    @pytest.mark.parametrize("column", BatchHead._fields)
    def test_covers_each_part_of_the_head(self, column: str) -> None:
        """So does an edited head."""
        edited = HEAD._replace(**{column: other(getattr(HEAD, column))})

        assert chain_hash(GENESIS, HEAD, [ROW]) != chain_hash(GENESIS, edited, [ROW])

    def test_covers_the_batch_before(self) -> None:
        """Another history, another hash."""
        assert chain_hash(GENESIS, HEAD, [ROW]) != chain_hash(b"1" * 32, HEAD, [ROW])

    def test_tells_neighbouring_texts_apart(self) -> None:
        """Text that moves from one column into the next changes the hash."""
        one = ROW._replace(outlet="AB", terminal="C")
        two = ROW._replace(outlet="A", terminal="BC")

        assert chain_hash(GENESIS, HEAD, [one]) != chain_hash(GENESIS, HEAD, [two])
