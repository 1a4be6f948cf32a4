"""Lines of a debit for any goods and any programmes."""

from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.accounts import purse_account
from libs.fakes.cards import a_purse
from libs.fakes.registry import a_programme
from services.authorization.domain.card import sort_purses
from services.authorization.domain.debit import debit_lines

OWN = purse_account(7)
goods = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1_000)), max_size=8)
purses = st.lists(
    st.tuples(st.integers(1, 3), st.integers(0, 3), st.sets(st.integers(0, 4))), max_size=5
)


@given(goods=goods, extra=st.integers(1, 500), purses=purses)
def test_every_sen_has_one_line_and_only_purses_that_may(
    goods: list[tuple[int, int]], extra: int, purses: list[tuple[int, int, set[int]]]
) -> None:
    """Lines add up to the amount, one for each class, with allowed purses in order of expiry."""
    amount = sum(part for _, part in goods) + extra
    programmes = {
        a_purse(number=number, programme=programme, valid_until=expiry): a_programme(
            programme, goods_classes=classes
        )
        for number, (programme, expiry, classes) in enumerate(purses, 1)
    }
    order = sort_purses(programmes)
    usable = [(purse, programmes[purse]) for purse in order]

    lines = debit_lines(goods, amount, usable, OWN)

    assert amount == sum(line.amount for line in lines)
    assert len(lines) == len({line.goods_class for line in lines})
    assert all(line.amount > 0 for line in lines)
    for line in lines:
        allowed = [
            purse.account
            for purse in order
            if not programmes[purse].goods_classes
            or line.goods_class in programmes[purse].goods_classes
        ]
        assert (*allowed, OWN) == line.purses
