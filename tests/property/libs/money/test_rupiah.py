"""Nothing is lost between minor units and the written amount."""

from hypothesis import given
from hypothesis import strategies as st

from libs.money import rupiah


@given(st.integers(min_value=-(10**18), max_value=10**18))
def test_reads_back_as_the_same_sen(amount: int) -> None:
    """Taking the separators away gives the minor units again, whatever their size."""
    digits = rupiah(amount).replace("Rp ", "").replace(".", "").replace(",", "")

    assert amount == int(digits)
