"""The registry's fold: what is known depends on versions, not on the way they came."""

from hypothesis import given
from hypothesis import strategies as st

from libs.fakes.registry import a_product, a_terminal, an_outlet
from libs.registry import Entry, RegistryView, write_change


def an_entry(which: int, version: int) -> Entry:
    """Return what an entity is at a version; each version differs."""
    if which == 0:
        return an_outlet(1, groups=(str(version),))
    if which == 1:
        return a_terminal(1, listener=str(version))
    return a_product(in_force_from=which, purchase_max_minor=version)


changes = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 6)), max_size=12)


def known(view: RegistryView) -> tuple[object, ...]:
    return (
        view.outlet("BUMA00000000001"),
        view.terminal("LSK00001"),
        *[view.product("standard", day) for day in range(5)],
        dict(view.versions),
    )


def fold(order: list[tuple[int, int]]) -> RegistryView:
    view = RegistryView()
    for which, version in order:
        view.apply(write_change(an_entry(which, version), version=version, changed_ms=0))
    return view


@given(order=changes, data=st.data())
def test_order_and_repeats_change_nothing(
    order: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Whatever comes again or too late, the highest version of each entity is what is known."""
    other = data.draw(st.permutations(order + order[: len(order) // 2]))

    assert known(fold(order)) == known(fold(other))
