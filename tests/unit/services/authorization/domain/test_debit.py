"""Lines of a debit: how goods are merged, and which purses may pay them."""

import pytest

from libs.contracts.accounts import purse_account
from libs.fakes.cards import a_purse
from libs.fakes.registry import a_programme, an_outlet
from libs.registry import EntityStatus, Programme
from services.authorization.domain.debit import (
    GoodsBroken,
    Line,
    debit_lines,
    split_goods,
    usable_purses,
)

OWN = purse_account(7)
FIRST = a_purse(number=1, programme=1)
SECOND = a_purse(number=2, programme=2)


class TestSplitGoods:
    @pytest.mark.parametrize(
        ("goods", "expected"),
        [
            ([], {0: 100}),
            ([(5, 40)], {5: 40, 0: 60}),
            ([(5, 100)], {5: 100}),
            ([(5, 40), (6, 10), (5, 20)], {5: 60, 6: 10, 0: 30}),
            ([(0, 40), (5, 10)], {0: 90, 5: 10}),
            ([(5, 0)], {0: 100}),
        ],
    )
    def test_merges_lines_and_adds_the_rest(
        self, goods: list[tuple[int, int]], expected: dict[int, int]
    ) -> None:
        """Lines of one class are one; what no line names is class 0; nothing is a line of zero."""
        assert expected == split_goods(goods, 100)

    def test_keeps_the_order_in_which_goods_were_named(self) -> None:
        """The order of lines is the terminal's."""
        assert [9, 2, 0] == list(split_goods([(9, 1), (2, 1)], 100))

    @pytest.mark.parametrize("goods", [[(5, 101)], [(5, 60), (6, 41)], [(5, -1)]])
    def test_refuses_lines_that_cannot_be(self, goods: list[tuple[int, int]]) -> None:
        """Lines above the amount or below zero are a fault of their edge."""
        with pytest.raises(GoodsBroken):
            split_goods(goods, 100)


class TestUsablePurses:
    @pytest.mark.parametrize(
        ("programme", "is_usable"),
        [
            (a_programme(), True),
            (a_programme(outlet_groups=("odd", "even")), True),
            (a_programme(outlet_groups=("odd",)), False),
            (a_programme(outlet_groups=()), False),
            (a_programme(status=EntityStatus.PAUSED), False),
            (a_programme(status=EntityStatus.CLOSED), False),
            (None, False),
        ],
    )
    def test_needs_a_programme_that_allows_the_outlet(
        self, programme: Programme | None, *, is_usable: bool
    ) -> None:
        """Restricted money needs an active programme with a group of this outlet."""
        found = usable_purses([FIRST], an_outlet(groups=("even", "north")), lambda _: programme)

        assert ([(FIRST, programme)] if is_usable else []) == found


class TestDebitLines:
    def test_lets_the_own_purse_pay_alone(self) -> None:
        """Without restricted purses each line has the own one."""
        assert [Line(0, 100, (OWN,))] == debit_lines([], 100, [], OWN)

    def test_puts_the_own_purse_last(self) -> None:
        """Restricted purses pay first, in their order."""
        usable = [(FIRST, a_programme(1)), (SECOND, a_programme(2))]

        expected = [Line(0, 100, (FIRST.account, SECOND.account, OWN))]
        assert expected == debit_lines([], 100, usable, OWN)

    def test_keeps_a_purse_to_its_goods(self) -> None:
        """A programme that names classes pays these only; the unnamed rest is class 0."""
        usable = [
            (FIRST, a_programme(1, goods_classes=(5,))),
            (SECOND, a_programme(2, goods_classes=(0, 6))),
        ]

        expected = [
            Line(5, 40, (FIRST.account, OWN)),
            Line(6, 10, (SECOND.account, OWN)),
            Line(7, 20, (OWN,)),
            Line(0, 30, (SECOND.account, OWN)),
        ]
        assert expected == debit_lines([(5, 40), (6, 10), (7, 20)], 100, usable, OWN)
