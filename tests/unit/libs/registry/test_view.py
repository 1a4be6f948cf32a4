"""The registry in memory: versions, look-ups, dated products, the five seconds."""

import pytest

from libs.contracts.lesko.v1.registry_pb2 import RegistryChange
from libs.fakes.registry import a_group, a_product, a_programme, a_terminal, an_outlet
from libs.registry import ChangeBroken, EntityStatus, RegistryView, write_change


def a_view(*changes: RegistryChange) -> RegistryView:
    view = RegistryView()
    for change in changes:
        view.apply(change)
    return view


class TestApply:
    def test_makes_each_kind_known(self) -> None:
        """What was published is found as it was written."""
        entries = (
            an_outlet(groups=("even", "north"), region="papua-selatan"),
            a_group("north"),
            a_terminal(),
            a_product(purchase_max_minor=5, outlet_groups=("even",), asks_pin=True, day_count=3),
            a_programme(goods_classes=(1, 22)),
        )

        view = a_view(*[write_change(entry, version=1, changed_ms=1) for entry in entries])

        assert entries == (
            view.outlet("BUMA00000000001"),
            view.group("north"),
            view.terminal("LSK00001"),
            view.product("standard", 0),
            view.programme(1),
        )

    def test_takes_a_higher_version(self) -> None:
        """A later record of the same entity replaces the earlier one."""
        paused = a_terminal(status=EntityStatus.PAUSED)
        view = a_view(write_change(a_terminal(), version=1, changed_ms=0))

        assert view.apply(write_change(paused, version=2, changed_ms=0))
        assert paused == view.terminal("LSK00001")

    @pytest.mark.parametrize("version", [1, 2])
    def test_ignores_a_version_that_is_not_higher(self, version: int) -> None:
        """An old record that comes again changes nothing."""
        paused = a_terminal(status=EntityStatus.PAUSED)
        view = a_view(write_change(paused, version=2, changed_ms=0))

        assert not view.apply(write_change(a_terminal(), version=version, changed_ms=0))
        assert paused == view.terminal("LSK00001")

    def test_counts_versions_of_each_entity_alone(self) -> None:
        """A high version of one terminal hides no other."""
        view = a_view(write_change(a_terminal(1), version=9, changed_ms=0))

        assert view.apply(write_change(a_terminal(2), version=1, changed_ms=0))

    def test_ignores_a_kind_of_tomorrow(self) -> None:
        """A record of a kind that a later release knows is no trouble today."""
        assert not RegistryView().apply(
            RegistryChange(entity="operator/1", version=1, status="ENTITY_STATUS_ACTIVE")
        )

    def test_refuses_a_change_that_names_another_entity(self) -> None:
        """A change whose key is not that of its body could hide another entity's versions."""
        change = write_change(a_terminal(1), version=1, changed_ms=0)
        change.entity = "terminal/LSK00002"

        with pytest.raises(ChangeBroken):
            RegistryView().apply(change)

    def test_leaves_the_view_as_it_was_after_a_broken_change(self) -> None:
        """A version without a status is refused and not remembered: its correction is taken."""
        view = RegistryView()
        change = write_change(a_terminal(), version=1, changed_ms=0)
        change.ClearField("status")

        with pytest.raises(ChangeBroken):
            view.apply(change)

        assert view.terminal("LSK00001") is None
        assert view.apply(write_change(a_terminal(), version=1, changed_ms=0))


class TestLookUp:
    def test_finds_codes_that_are_padded(self) -> None:
        """DE41 and DE42 are padded with spaces on the wire; the registry's codes may be too."""
        view = a_view(
            write_change(an_outlet(code="KIOS"), version=1, changed_ms=0),
            write_change(an_outlet(code="TOKO   "), version=1, changed_ms=0),
        )

        assert view.outlet("KIOS           ") is not None
        assert view.outlet("TOKO") is not None
        assert view.outlet(" KIOS") is None

    def test_keeps_what_was_closed(self) -> None:
        """A closed entity is still known: whoever asks decides by its status."""
        closed = an_outlet(status=EntityStatus.CLOSED)

        assert closed == a_view(write_change(closed, version=1, changed_ms=0)).outlet(closed.code)

    def test_finds_nothing_that_was_not_published(self) -> None:
        """An empty view knows nobody."""
        view = RegistryView()

        assert (None, None, None, None, None) == (
            view.outlet("BUMA00000000001"),
            view.group("north"),
            view.terminal("LSK00001"),
            view.product("standard", 0),
            view.programme(1),
        )


class TestProduct:
    @pytest.mark.parametrize(
        ("day", "expected"), [(9, None), (10, 100), (19, 100), (20, 200), (99, 200)]
    )
    def test_uses_the_set_in_force_on_the_day(self, day: int, expected: int | None) -> None:
        """Each set of parameters holds from its own day to the day before the next."""
        sets = (
            a_product(in_force_from=20, purchase_max_minor=200),
            a_product(in_force_from=10, purchase_max_minor=100),
        )
        view = a_view(*[write_change(one, version=1, changed_ms=0) for one in sets])

        found = view.product("standard", day)

        assert expected == (found.purchase_max_minor if found else None)

    def test_passes_over_a_set_that_was_withdrawn(self) -> None:
        """A set closed before its day leaves the former one in force."""
        later = a_product(in_force_from=20, purchase_max_minor=200)
        view = a_view(
            write_change(a_product(in_force_from=10), version=1, changed_ms=0),
            write_change(later, version=1, changed_ms=0),
            write_change(later._replace(status=EntityStatus.CLOSED), version=2, changed_ms=0),
        )

        found = view.product("standard", 20)

        assert found is not None
        assert 10 == found.in_force_from

    def test_changes_a_set_in_place(self) -> None:
        """A higher version of one dated set replaces that set only."""
        view = a_view(
            write_change(a_product(purchase_max_minor=1), version=1, changed_ms=0),
            write_change(a_product(purchase_max_minor=2), version=2, changed_ms=0),
        )

        found = view.product("standard", 0)

        assert found is not None
        assert 2 == found.purchase_max_minor


class TestIsCurrent:
    @pytest.mark.parametrize("now_ms", [0, 1_000_000])
    def test_is_not_before_anything_was_read(self, now_ms: int) -> None:
        """A new view takes no new money, also on a machine that has just started."""
        assert not RegistryView().is_current(now_ms)

    @pytest.mark.parametrize(("now_ms", "expected"), [(1_000, True), (6_000, True), (6_001, False)])
    def test_holds_for_five_seconds(self, *, now_ms: int, expected: bool) -> None:
        """Five seconds after the end was last seen the view is too old."""
        view = RegistryView()
        view.show_current(1_000)

        assert expected is view.is_current(now_ms)

    def test_does_not_grow_older_by_old_news(self) -> None:
        """What was shown once is not taken back by an earlier moment."""
        view = RegistryView()
        view.show_current(10_000)
        view.show_current(2_000)

        assert view.is_current(12_000)
