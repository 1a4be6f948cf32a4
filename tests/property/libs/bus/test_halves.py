"""Cutting a batch in two loses nothing and keeps every order."""

from hypothesis import given
from hypothesis import strategies as st

from libs.bus.halves import Batch, halves
from libs.bus.port import Record

batches = st.dictionaries(st.integers(0, 7), st.integers(1, 9), min_size=1, max_size=8).map(
    lambda sizes: {
        partition: [Record("t", partition, n, b"", b"", b"", 0) for n in range(size)]
        for partition, size in sizes.items()
    }
)


@given(batches)
def test_puts_the_halves_together_again(batch: Batch) -> None:
    """First and second half are the batch, partition by partition, none empty, nearly equal."""
    total = sum(map(len, batch.values()))
    both = halves(batch)

    assert (total == 1) == (both is None)
    if both is not None:
        first, second = both
        for partition, records in batch.items():
            assert records == [*first.get(partition, []), *second.get(partition, [])]
        assert all(records for half in both for records in half.values())
        assert total // 2 == sum(map(len, first.values()))
