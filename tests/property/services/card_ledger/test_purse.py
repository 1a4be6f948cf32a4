"""Who pays what, against brute force over every assignment."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from services.card_ledger.domain.command import Line
from services.card_ledger.domain.purse import share_out

OWN = 9
ORDER = (1, 2, 3, OWN)


@st.composite
def baskets(draw: st.DrawFn) -> tuple[list[Line], dict[int, int]]:
    """Small baskets: up to three lines, three restricted purses and the own one."""
    lines = []
    for number in range(draw(st.integers(1, 3))):
        allowed = draw(st.sets(st.sampled_from(ORDER[:-1])))
        purses = tuple(purse for purse in ORDER if purse in allowed or purse == OWN)
        lines.append(Line(number, draw(st.integers(1, 4)), purses))
    return lines, {purse: draw(st.integers(0, 5)) for purse in ORDER}


def splits(amount: int, purses: tuple[int, ...]) -> list[dict[int, int]]:
    """Every way to split an amount over some purses."""
    if len(purses) == 1:
        return [{purses[0]: amount}]
    return [
        {purses[0]: part, **rest}
        for part in range(amount + 1)
        for rest in splits(amount - part, purses[1:])
    ]


def best_totals(lines: list[Line], available: dict[int, int]) -> tuple[int, ...] | None:
    """What each purse pays in the best of all assignments, tried one by one."""
    totals = set()
    for choice in product(*(splits(line.amount, line.purses) for line in lines)):
        paid = tuple(sum(part.get(purse, 0) for part in choice) for purse in ORDER)
        if all(paid[i] <= available[purse] for i, purse in enumerate(ORDER)):
            totals.add(paid)
    return max(totals) if totals else None


class TestShareOut:
    @given(baskets())
    @settings(max_examples=300, deadline=None)
    def test_finds_what_brute_force_finds(self, basket: tuple[list[Line], dict[int, int]]) -> None:
        """The purse that expires first pays most, then the next; None only if nothing pays all."""
        lines, available = basket

        shares = share_out(lines, available, ORDER)

        best = best_totals(lines, available)
        if shares is None:
            assert best is None
            return
        paid = tuple(sum(s.amount for s in shares if s.purse == purse) for purse in ORDER)
        assert best == paid
        for line in lines:
            parts = [s for s in shares if s.goods_class == line.goods_class]
            assert line.amount == sum(part.amount for part in parts)
            assert {part.purse for part in parts} <= set(line.purses)
