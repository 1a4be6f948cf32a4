"""Builders for entries of the registry as rules see them."""

from collections.abc import Collection

from libs.registry import EntityStatus, Outlet, OutletGroup, Product, Programme, Terminal

_ACTIVE = EntityStatus.ACTIVE


def an_outlet(
    number: int = 1,
    *,
    code: str = "",
    groups: Collection[str] = ("even",),
    status: EntityStatus = _ACTIVE,
    region: str = "",
) -> Outlet:
    """Return an outlet as the demo data names it."""
    code = code or f"BUMA{number:011d}"
    return Outlet(code, number, "Kios", frozenset(groups), status, region)


def a_group(code: str = "even", *, status: EntityStatus = _ACTIVE) -> OutletGroup:
    """Return a group of outlets."""
    return OutletGroup(code, f"Group {code}", status)


def a_terminal(
    number: int = 1,
    *,
    outlet: str = "",
    listener: str = "edc",
    status: EntityStatus = _ACTIVE,
) -> Terminal:
    """Return the terminal of the outlet with the same number."""
    return Terminal(
        code=f"LSK{number:05d}",
        outlet=outlet or f"BUMA{number:011d}",
        listener=listener,
        has_mac_key=False,
        may_omit_mac=True,
        groups=frozenset(),
        status=status,
    )


def a_product(
    code: str = "standard",
    *,
    in_force_from: int = 0,
    purchase_max_minor: int = 0,
    day_amount_minor: int = 0,
    day_count: int = 0,
    asks_pin: bool = False,
    pin_above_minor: int = 0,
    outlet_groups: Collection[str] = (),
    status: EntityStatus = _ACTIVE,
) -> Product:
    """Return a product without limits."""
    return Product(
        code=code,
        in_force_from=in_force_from,
        currency=360,
        ceiling_minor=0,
        purchase_max_minor=purchase_max_minor,
        day_amount_minor=day_amount_minor,
        day_count=day_count,
        month_amount_minor=0,
        month_count=0,
        asks_pin=asks_pin,
        pin_above_minor=pin_above_minor,
        outlet_groups=frozenset(outlet_groups),
        status=status,
    )


def a_programme(
    number: int = 1,
    *,
    outlet_groups: Collection[str] = ("even",),
    goods_classes: Collection[int] = (),
    status: EntityStatus = _ACTIVE,
) -> Programme:
    """Return a programme for the group of even outlets and every class of goods."""
    return Programme(number, "Bantuan", frozenset(outlet_groups), frozenset(goods_classes), status)
