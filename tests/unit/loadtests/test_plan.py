"""Pools of operations are repeatable and keep to their mix."""

from collections import Counter

from loadtests.plan import MIXED, PURCHASES_ONLY, Kind, build_pool


class TestBuildPool:
    def test_gives_the_same_pool_for_the_same_seed(self) -> None:
        """A run can be repeated, and another seed is another run."""
        pool = build_pool("a", MIXED, 100, size=200).operations

        assert pool == build_pool("a", MIXED, 100, size=200).operations
        assert pool != build_pool("b", MIXED, 100, size=200).operations

    def test_holds_nothing_but_what_the_mix_names(self) -> None:
        """A pool of purchases has purchases only."""
        pool = build_pool("a", PURCHASES_ONLY, 100, size=200).operations

        assert {int(Kind.PURCHASE)} == {operation.kind for operation in pool}

    def test_keeps_the_shares_of_the_mix(self) -> None:
        """Every kind comes about as often as it should."""
        found = Counter(
            operation.kind for operation in build_pool("a", MIXED, 9, 20_000).operations
        )

        assert {int(kind) for kind in MIXED} == set(found)
        assert all(abs(found[kind] / 20_000 - share) < 0.02 for kind, share in MIXED.items())

    def test_draws_from_the_start_again_at_the_end(self) -> None:
        """A pool never runs dry."""
        pool = build_pool("a", PURCHASES_ONLY, 100, size=2)

        drawn = [pool.draw() for _ in range(4)]

        assert drawn[:2] == drawn[2:]
