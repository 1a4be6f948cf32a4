"""Entries of the registry from and to their records."""

from typing import Final

from libs.contracts.lesko.v1 import registry_pb2 as wire
from libs.contracts.lesko.v1.registry_pb2 import RegistryChange
from libs.registry.entities import (
    EntityStatus,
    Outlet,
    OutletGroup,
    Product,
    Programme,
    Terminal,
    group_entity,
    outlet_entity,
    product_entity,
    programme_entity,
    terminal_entity,
)

Entry = Outlet | OutletGroup | Terminal | Product | Programme

PUBLISHED: Final = "published"
"""The key of the record that ends a full publication; no entity has it."""


def entity_of(entry: Entry) -> str:
    """Return the key under which an entry is published."""
    match entry:
        case Outlet():
            return outlet_entity(entry.code)
        case OutletGroup():
            return group_entity(entry.code)
        case Terminal():
            return terminal_entity(entry.code)
        case Product():
            return product_entity(entry.code, entry.in_force_from)
        case Programme():
            return programme_entity(entry.number)


def write_change(entry: Entry, *, version: int, changed_ms: int) -> RegistryChange:
    """Return the change that makes an entry known; ``changed_ms`` in Unix ms."""
    change = RegistryChange(
        entity=entity_of(entry),
        version=version,
        status=f"ENTITY_STATUS_{entry.status.name}",
        changed_ms=changed_ms,
    )
    match entry:
        case Outlet():
            change.outlet.CopyFrom(_write_outlet(entry))
        case OutletGroup():
            change.outlet_group.CopyFrom(wire.OutletGroup(code=entry.code, name=entry.name))
        case Terminal():
            change.terminal.CopyFrom(_write_terminal(entry))
        case Product():
            change.product.CopyFrom(_write_product(entry))
        case Programme():
            change.programme.CopyFrom(_write_programme(entry))
    return change


def write_published(log: str, *, entities: int) -> RegistryChange:
    """Return the record that says: all of the registry stands in this log (a topic's id) now."""
    return RegistryChange(
        entity=PUBLISHED, published=wire.RegistryPublished(log=log, entities=entities)
    )


def read_entry(change: RegistryChange) -> Entry:
    """Return the entry of a change that has a body; ``ValueError`` for a status of nobody's."""
    status = EntityStatus(change.status)
    kind = change.WhichOneof("body")
    if kind == "outlet":
        return _read_outlet(change.outlet, status)
    if kind == "terminal":
        return _read_terminal(change.terminal, status)
    if kind == "product":
        return _read_product(change.product, status)
    if kind == "outlet_group":
        group = change.outlet_group
        return OutletGroup(code=group.code, name=group.name, status=status)
    return _read_programme(change.programme, status)


def _read_outlet(record: wire.Outlet, status: EntityStatus) -> Outlet:
    return Outlet(
        code=record.code.rstrip(" "),
        number=record.number,
        name=record.name,
        groups=frozenset(record.groups),
        status=status,
        region=record.region,
    )


def _read_terminal(record: wire.Terminal, status: EntityStatus) -> Terminal:
    return Terminal(
        code=record.code.rstrip(" "),
        outlet=record.outlet.rstrip(" "),
        listener=record.listener,
        has_mac_key=record.has_mac_key,
        may_omit_mac=record.may_omit_mac,
        groups=frozenset(record.groups),
        status=status,
    )


def _read_product(record: wire.Product, status: EntityStatus) -> Product:
    return Product(
        code=record.code,
        in_force_from=record.in_force_from,
        currency=record.currency,
        ceiling_minor=record.ceiling_minor,
        purchase_max_minor=record.purchase_max_minor,
        day_amount_minor=record.day_amount_minor,
        day_count=record.day_count,
        month_amount_minor=record.month_amount_minor,
        month_count=record.month_count,
        asks_pin=record.asks_pin,
        pin_above_minor=record.pin_above_minor,
        outlet_groups=frozenset(record.outlet_groups),
        status=status,
    )


def _read_programme(record: wire.Programme, status: EntityStatus) -> Programme:
    return Programme(
        number=record.number,
        name=record.name,
        outlet_groups=frozenset(record.outlet_groups),
        goods_classes=frozenset(record.goods_classes),
        status=status,
    )


def _write_outlet(entry: Outlet) -> wire.Outlet:
    return wire.Outlet(
        code=entry.code,
        number=entry.number,
        name=entry.name,
        groups=sorted(entry.groups),
        region=entry.region,
    )


def _write_terminal(entry: Terminal) -> wire.Terminal:
    return wire.Terminal(
        code=entry.code,
        outlet=entry.outlet,
        listener=entry.listener,
        has_mac_key=entry.has_mac_key,
        may_omit_mac=entry.may_omit_mac,
        groups=sorted(entry.groups),
    )


def _write_product(entry: Product) -> wire.Product:
    return wire.Product(
        code=entry.code,
        currency=entry.currency,
        ceiling_minor=entry.ceiling_minor,
        purchase_max_minor=entry.purchase_max_minor,
        day_amount_minor=entry.day_amount_minor,
        day_count=entry.day_count,
        month_amount_minor=entry.month_amount_minor,
        month_count=entry.month_count,
        asks_pin=entry.asks_pin,
        pin_above_minor=entry.pin_above_minor,
        outlet_groups=sorted(entry.outlet_groups),
        in_force_from=entry.in_force_from,
    )


def _write_programme(entry: Programme) -> wire.Programme:
    return wire.Programme(
        number=entry.number,
        name=entry.name,
        outlet_groups=sorted(entry.outlet_groups),
        goods_classes=sorted(entry.goods_classes),
    )
